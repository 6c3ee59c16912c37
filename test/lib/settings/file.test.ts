import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../../dist/lib/settings/index.js'
import { readIni, shippedFile } from './haraka-config.ts'
import { errorsOf, read, settingsOf } from './settings.ts'

const defaults = {
  main: {
    dane: 'optional',
    mtaSts: 'optional',
    starttls: 'optional',
    allowInvalidCerts: false,
    relaxAfterTlsFailure: true,
    audit: false,
    daneAndMtaSts: 'dane',
    insecureMx: 'dane',
    plaintextFallback: true,
    minTlsVersion: 'TLSv1.2',
    ciphers: undefined,
    caFile: undefined,
    knownCerts: 30 * 86_400_000,
    smtpPort: 25,
    tlsTimeout: 60_000,
    mtaStsTimeout: 60_000,
    requiretls: false,
    tlsRequiredNo: true,
    finalDelivery: undefined,
  },
  dns: { resolvers: undefined, trustAd: 'auto', selfTest: undefined, timeout: 5000, attempts: 3, cacheSize: 10_000 },
  mtaSts: { refresh: 86_400_000, port: 443, allowPrivateAddresses: false },
  store: {
    engine: 'sqlite',
    path: 'outbound-tls.db',
    url: undefined,
    retention: 30 * 86_400_000,
  },
  rules: [],
}

/** Everything that could be set, set: keys are commented out with ";key", prose with "; ". */
const uncommented = shippedFile.replace(/^;(?=\S)/gm, '')

describe('the shipped file', () => {
  test('gives the defaults, without a warning', () => {
    const result = readSettings(readIni(undefined), { text: shippedFile })
    assert.ok(result.ok)
    const { main, dns, mtaSts, store, rules } = result.settings
    assert.deepEqual({ main, dns, mtaSts, store, rules }, defaults)
    assert.deepEqual(result.warnings, [])
  })

  test('sets nothing, so that an administrator can remove whatever is set', () => {
    const ini = readIni(undefined) as Record<string, object>
    assert.deepEqual(Object.keys(ini), ['main', 'dns', 'mta-sts', 'store'])
    assert.deepEqual(Object.values(ini).flatMap(Object.keys), [])
  })

  test('is accepted with every key uncommented, and shows the defaults', () => {
    const result = read(uncommented)
    assert.ok(result.ok)
    const { main, mtaSts, store } = result.settings
    const shownMain = { ...defaults.main, finalDelivery: ['queue/qmail-queue'] } // an example
    const shownStore = { ...defaults.store, url: 'postgresql://haraka@db.example.org/haraka' } // the same
    assert.deepEqual({ main, mtaSts, store }, { main: shownMain, mtaSts: defaults.mtaSts, store: shownStore })
    const { resolvers, selfTest, ...dns } = result.settings.dns
    assert.deepEqual(dns, { trustAd: 'auto', timeout: 5000, attempts: 3, cacheSize: 10_000 })
    assert.deepEqual(resolvers, [{ address: '127.0.0.1', port: 53 }])
    assert.deepEqual(selfTest, ['org'])
    assert.deepEqual(result.warnings, ['outbound-tls.ini [store] url: no effect with engine = sqlite'])
  })

  test('shows rules that are accepted', () => {
    const rules = shippedFile.match(/^; {5}.*$/gm)?.map((line) => line.slice(6)) ?? []
    assert.deepEqual(
      settingsOf(rules.join('\n')).rules.map(({ name }) => name),
      ['partner', 'broken-certificate'],
    )
  })

  test('has its comments on lines of their own', () => {
    for (const line of shippedFile.split('\n')) assert.match(line, /^(?:;.*|\[[a-z-]+\]|)$/)
  })
})

describe('what haraka-config makes of a file', () => {
  test('keeps the rules in their order, after the sections of the shipped file', () => {
    const rule = (name: string) => `[rule:${name}]\nif-route = mx\naudit = true\n`
    const { rules } = settingsOf(`${rule('b')}${rule('10')}[dns]\ntimeout = 6s\n${rule('2')}${rule('*.a')}`)
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['b', '10', '2', '*.a'],
    )
  })

  test('is read in any spelling of line ends, spaces and byte order marks', () => {
    const { main } = settingsOf('\uFEFF  # a comment\r\n[main]\r\n  dane=disable  \r\n\r\n\tstarttls =   require\r\n')
    assert.equal(main.dane, 'disable')
    assert.equal(main.starttls, 'require')
  })

  test('takes keys above the first section for [main]', () => {
    assert.equal(settingsOf('dane = disable\n[dns]\nattempts = 2\n').main.dane, 'disable')
  })

  test('a missing file gives the defaults', () => {
    assert.ok(readSettings(Object.assign(Object.create(null), { main: {} })).ok)
  })
})

describe('what haraka-config drops or merges without an error is one', () => {
  const dropped: readonly [why: string, text: string, error: RegExp][] = [
    [
      'a section with a comment behind it, whose keys would fall to the section above',
      '[rule:partner] ; our partner\nstarttls = disable\n',
      /\[main\] = "\[rule:partner\] ; our partner": line 1: .*\(a comment needs a line of its own\)$/,
    ],
    ['a section that is not closed', '[rule:partner\nstarttls = disable\n', /line 1: neither/],
    ['a key without a value', '[main]\nstarttls\n', /line 2: neither \[section\] nor key = value/],
    ['a key with a space in it', '[main]\nmin tls version = TLSv1.3\n', /line 2: neither/],
    ['a condition without its =', '[rule:a]\nif-retry-num >=1\naudit = true\n', /line 2: neither/],
    ['a colon for an =', '[main]\nstarttls: require\n', /line 2: neither/],
    ['a key that is written twice', '[main]\ndane = require\ndane = optional\n', /line 3: dane is written once/],
    [
      'a list that a single value ends',
      '[rule:a]\nif-mx[] = a.example\nif-mx = b.example\naudit = true\n',
      /line 3: if-mx is written once/,
    ],
    [
      'a rule that is written twice, whose conditions would be joined',
      '[rule:a]\nif-mx[] = a.example\naudit = true\n[rule:a]\nif-mx[] = b.example\n',
      /line 4: a section is written once/,
    ],
    ['a line that is continued', '[main]\nca-file = a\\\ndane = require\n', /line 2: a value cannot be continued/],
    ['a key that no object can have', '[main]\n__proto__ = x\n', /line 2: haraka-config did not take this line over/],
    ['a section that no object can have', '[constructor]\ndane = require\n', /line 2: haraka-config did not/],
    ['a file that haraka-config has not read yet', '[main]\ndane = require\n', /line 2: haraka-config did not/],
  ]
  for (const [why, text, error] of dropped) {
    test(why, () => {
      const ini = why.includes('not read yet') ? readIni(undefined) : readIni(text)
      const result = readSettings(ini, { text })
      assert.ok(!result.ok)
      assert.match(result.errors.map((each) => each.text).join('\n'), new RegExp(error, 'm'))
    })
  }

  test('lists may have several lines', () => {
    const text = '[rule:a]\nif-mx[] = a.example\nif-mx[] = b.example\naudit = true\n'
    assert.deepEqual(errorsOf(text), [])
  })

  test('a line that may hold a password is not shown', () => {
    const url = 'postgresql://haraka:hunter2@db.example.org/tls'
    for (const line of [
      ...['password: hunter2', 'password = hunter2 \\', 'pasword = hunter2', 'password[] = hunter2'],
      ...[`url: ${url}`, `url[] = ${url}`, `ulr = ${url}`, `path = ${url} ; here`, `url = ${url} ; here`, url],
    ]) {
      const errors = errorsOf(`[store]\n${line}\n`)
      assert.ok(errors.length > 0)
      assert.doesNotMatch(errors.join('\n'), /hunter2/)
    }
  })
})
