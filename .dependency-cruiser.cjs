'use strict'

/** Who may know whom: every arrow between the rooms of the house (plugins/ and plugins/lib/) that is allowed. */
const mayUse = {
  store: [],
  dns: [],
  message: [],
  settings: [],
  dane: ['dns'],
  certificates: ['dane'],
  https: ['certificates', 'dns'],
  'mta-sts': ['dns', 'https', 'store'],
  tlsrpt: ['dns'],
  'tlsrpt-reading': ['dns', 'tlsrpt'],
  received: ['store', 'tlsrpt', 'tlsrpt-reading'],
  policy: ['dane', 'message', 'mta-sts', 'settings'],
  outcomes: ['policy', 'tlsrpt', 'store'],
  reports: ['outcomes', 'tlsrpt', 'store'],
  transmit: ['https', 'reports', 'settings', 'tlsrpt'],
  monitor: ['message', 'outcomes', 'policy', 'tlsrpt', 'store'],
  delivery: ['certificates', 'policy', 'dane', 'mta-sts', 'dns', 'settings'],
}

const rooms = Object.entries(mayUse).map(([room, others]) => ({
  name: `${room}-knows-only-${others.join('-and-') || 'itself'}`,
  severity: 'error',
  from: { path: `^plugins/lib/${room}/` },
  to: {
    path: '^plugins/',
    pathNot: [...[room, ...others].map((name) => `^plugins/lib/${name}/`), '^plugins/lib/time[.]ts$'],
  },
}))

module.exports = {
  forbidden: [
    ...rooms,
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'a-room-has-one-door',
      severity: 'error',
      comment: 'from outside, only the index.ts of a room is imported',
      from: { path: '^plugins/(?:lib/)?([^/]+)/' },
      to: { path: '^plugins/lib/[^/]+/', pathNot: ['^plugins/lib/$1/', '^plugins/lib/[^/]+/index[.]ts$'] },
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
      from: { path: '^plugins/(?!lib/)([^/]+)/' },
      to: { path: '^plugins/(?!lib/)[^/]+/', pathNot: ['^plugins/$1/', '^plugins/runtime/'] },
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
