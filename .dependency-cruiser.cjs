'use strict'

/** Who may know whom: every import between the modules of plugins/lib that is allowed. */
const mayUse = {
  store: [],
  dns: [],
  requiretls: [],
  settings: [],
  dane: ['dns'],
  certificates: ['dane', 'store'],
  https: ['certificates', 'dns'],
  'mta-sts': ['dns', 'https', 'store'],
  policy: ['dane', 'requiretls', 'mta-sts', 'settings'],
  tlsrpt: ['dns', 'https', 'policy', 'settings', 'store'],
  monitor: ['requiretls', 'policy', 'tlsrpt', 'store'],
  delivery: ['certificates', 'policy', 'dane', 'https', 'mta-sts', 'dns', 'settings'],
}

const modules = Object.entries(mayUse).map(([module, others]) => ({
  name: `${module}-knows-only-${others.join('-and-') || 'itself'}`,
  severity: 'error',
  from: { path: `^plugins/lib/${module}/` },
  to: {
    path: '^plugins/',
    pathNot: [
      ...[module, ...others].map((name) => `^plugins/lib/${name}/`),
      '^plugins/lib/(time|error-text|address)[.]ts$',
    ],
  },
}))

/** The same within lib/tlsrpt: who may import which of its parts. */
const tlsrptMayUse = {
  format: [],
  parsing: ['format'],
  received: ['format', 'parsing'],
  counting: ['format'],
  sending: ['format', 'counting'],
  transmit: ['format', 'sending'],
}

const partsOfTlsrpt = Object.entries(tlsrptMayUse).map(([part, others]) => ({
  name: `tlsrpt-${part}-knows-only-${others.join('-and-') || 'itself'}`,
  severity: 'error',
  from: { path: `^plugins/lib/tlsrpt/${part}/` },
  to: { path: '^plugins/lib/tlsrpt/', pathNot: [part, ...others].map((name) => `^plugins/lib/tlsrpt/${name}/`) },
}))

module.exports = {
  forbidden: [
    ...modules,
    ...partsOfTlsrpt,
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'a-module-has-one-public-api',
      severity: 'error',
      comment: 'from outside, only the index.ts of a module is imported',
      from: { path: '^plugins/(?:lib/)?([^/]+)/' },
      to: { path: '^plugins/lib/[^/]+/', pathNot: ['^plugins/lib/$1/', '^plugins/lib/(?:tlsrpt/)?[^/]+/index[.]ts$'] },
    },
    {
      name: 'a-part-of-tlsrpt-has-one-public-api',
      severity: 'error',
      from: { path: '^plugins/lib/tlsrpt/([^/]+)/' },
      to: {
        path: '^plugins/lib/tlsrpt/[^/]+/',
        pathNot: ['^plugins/lib/tlsrpt/$1/', '^plugins/lib/tlsrpt/[^/]+/index[.]ts$'],
      },
    },
    {
      name: 'lib-knows-nothing-of-haraka',
      severity: 'error',
      from: { path: '^plugins/lib/' },
      to: { path: ['^plugins/(?!lib/)', 'haraka[.]d[.]ts$', '^node_modules/haraka-plugin-'] },
    },
    {
      name: 'no-arrow-from-plugin-to-plugin',
      severity: 'error',
      comment: 'what plugins share is in lib and, as data to be shown, in views',
      from: { path: '^plugins/(?!lib/|runtime/|views/)([^/]+)/' },
      to: {
        path: '^plugins/(?!lib/)[^/]+/',
        pathNot: ['^plugins/$1/', '^plugins/runtime/', '^plugins/views/index[.]ts$'],
      },
    },
    {
      name: 'runtime-knows-no-plugin',
      severity: 'error',
      from: { path: '^plugins/runtime/' },
      to: { path: '^plugins/(?!lib/|runtime/)' },
    },
    {
      name: 'views-know-no-plugin',
      severity: 'error',
      from: { path: '^plugins/views/' },
      to: {
        path: '^plugins/',
        pathNot: [
          '^plugins/views/',
          '^plugins/lib/(?:tlsrpt/)?[^/]+/index[.]ts$',
          '^plugins/lib/(time|error-text|address)[.]ts$',
        ],
      },
    },
    {
      name: 'only-declared-dependencies',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    combinedDependencies: true, // the package.json of a plugin's folder only says where it is
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.build.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default'],
    },
  },
}
