import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ANALYSIS_KEYS } from '../../../dist/lib/settings/analysis.js'
import { matchesAddress, readAnalysisSettings } from '../../../dist/lib/settings/index.js'
import { runs } from '../../support/runs.ts'
import { readIni } from './haraka-config.ts'
import { analysisSettingsOf } from './settings.ts'

const FILE = 'outbound-tls.analysis.ini'
const shipped = readFileSync(join(import.meta.dirname, '../../../config', FILE), 'utf8')
const read = (text: string) => readAnalysisSettings(readIni(text, FILE), text)

function errorOf(text: string): string {
  const result = read(text)
  assert.ok(!result.ok, text)
  assert.equal(result.errors.length, 1)
  return result.errors[0]?.text ?? ''
}

describe('outbound-tls.analysis.ini', () => {
  for (const address of [
    '*',
    '**',
    '@',
    'tls',
    'tls@',
    '*@',
    'a*b@example.org',
    'tls@ex ample.org',
    'a@b@*',
    '<a@b.example>',
  ])
    test(`does not accept ${address} as an address`, () => {
      assert.match(
        errorOf(`addresses[] = ${address}`),
        /^outbound-tls\.analysis\.ini \[main\] addresses\[\] = .*accepted in each line/,
      )
    })

  for (const line of [
    'store = 30',
    'store = 1m',
    'store = forever',
    'max-size = 10',
    'max-size = 2gb',
    'forward = perhaps',
    'domains[] = *.example.org',
    'https = 443',
  ])
    test(`does not accept ${line}`, () => assert.match(errorOf(line), /accepted/))

  test('does not accept unknown keys and sections, and says so of all of them at once', () => {
    const result = read('address = a@example.org\n[https]\npath = /tls\n')
    assert.ok(!result.ok)
    assert.deepEqual(
      result.errors.map(({ section, key }) => [section, key]),
      [
        ['[https]', undefined],
        ['[main]', 'address'],
      ],
    )
  })

  test('takes whatever haraka-config may make of it without an exception', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (ini, text) => {
        assert.equal(typeof readAnalysisSettings(ini, text).ok, 'boolean')
      }),
      { numRuns: runs(300, 5000) },
    )
  })

  test('is all defaults where there is nothing in it, as in the shipped file, with a warning that nothing will be read', () => {
    for (const text of ['', shipped]) {
      const result = read(text)
      assert.ok(result.ok)
      const { addresses, ...settings } = result.settings
      assert.deepEqual(addresses, { exact: new Set(), prefixes: [], suffixes: [] })
      assert.deepEqual(settings, {
        forward: true,
        store: 30 * 86_400_000,
        maxSize: 26_214_400,
        domains: undefined,
        https: false,
        requireDkim: true,
      })
      assert.match(result.warnings.join('\n'), /^[^\n]*no report will be read$/)
    }
  })

  test('is read as it is written', () => {
    const settings = analysisSettingsOf(
      'addresses[] = tls@example.org\nforward = false\nstore = never\nmax-size = 10mb\n' +
        'domains[] = Example.ORG\ndomains[] = bücher.example\nhttps = yes\nrequire-dkim = no\n',
    )
    assert.equal(settings.forward, false)
    assert.equal(settings.store, 'never')
    assert.equal(settings.maxSize, 10 * 1024 * 1024)
    assert.deepEqual(settings.domains, ['example.org', 'xn--bcher-kva.example'])
    assert.equal(settings.https, true)
    assert.equal(settings.requireDkim, false)
  })

  for (const [text, warning] of [
    ['addresses[] = tls@example.org\nrequire-dkim = false', /anyone may have written/],
    ['addresses[] = tls@example.org\nforward = false\nstore = never', /nothing is left but the log/],
  ] as const)
    test(`warns of ${text.split('\n').slice(1).join(', ')}`, () => {
      const result = read(text)
      assert.ok(result.ok)
      assert.match(result.warnings.join('\n'), warning)
    })

  test('is shipped with every key, at its default or as an example', () => {
    const shown = [...shipped.matchAll(/^;(\S+) = (.*)$/gm)]
    assert.deepEqual(
      shown.map(([, name]) => name),
      Object.values(ANALYSIS_KEYS).map(({ name }) => name),
    )
    for (const key of Object.values(ANALYSIS_KEYS)) {
      const [, , value = ''] = shown.find(([, name]) => name === key.name) ?? []
      const reading = key.read([value])
      assert.ok('value' in reading)
      if (key.default !== undefined) assert.equal(reading.value, key.default)
    }
  })
})

describe('addresses of reports', () => {
  const cases = [
    [
      'tls@example.org',
      ['tls@example.org', 'TLS@Example.ORG', 'tls@example.org.'],
      ['xtls@example.org', 'tls@sub.example.org'],
    ],
    [
      'tls-reports@*',
      ['tls-reports@example.org', 'TLS-Reports@other.example'],
      ['a-tls-reports@example.org', 'tls-reports+x@a.example'],
    ],
    ['tls*', ['tls@a.example', 'tls-reports@a.example'], ['report-tls@a.example']],
    [
      '*@reports.example.org',
      ['anyone@reports.example.org', 'a@REPORTS.example.org'],
      ['a@x.reports.example.org', 'a@reports.example.org.example'],
    ],
    ['*@bücher.example', ['a@xn--bcher-kva.example', 'a@Bücher.example'], ['a@bucher.example']],
    ['*+tls@example.org', ['jane+tls@example.org'], ['tls@example.org']],
  ] as const
  for (const [pattern, matching, others] of cases)
    test(`${pattern} is for ${matching[0]}, not for ${others[0]}`, () => {
      const { addresses } = analysisSettingsOf(`addresses[] = ${pattern}`)
      for (const address of matching) assert.ok(matchesAddress(addresses, address), address)
      for (const address of others) assert.ok(!matchesAddress(addresses, address), address)
    })
})
