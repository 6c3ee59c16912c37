import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  matchesHostList,
  readHarakaTls,
  settingsFor,
  type HarakaTlsInput,
  type HostSettings,
  type MxTrust,
  type RuleKey,
} from '../../../dist/lib/settings/index.js'
import { errorsOf, facts, NOW, read, settingsOf } from './settings.ts'

const MX = 'mx.example.org'

/** What a rule with `if-mx` comes to for its host, above what the other lines ask for. */
function byMxRule(sets: string, others: string, trust?: MxTrust): HostSettings {
  const settings = settingsOf(`${others}\n[rule:mx]\nif-mx[] = ${MX}\n${sets}\n`)
  return settingsFor(settings, facts(), MX, NOW, trust)
}

const insecure = { mxIsSecure: false, stsEnforced: false }
const enforced = { mxIsSecure: false, stsEnforced: true }

describe('a rule with if-mx behind an insecure MX record', () => {
  const lowering: readonly [sets: string, key: RuleKey, demand: string][] = [
    ['dane = disable', 'dane', 'dane = require'],
    ['dane = optional', 'dane', 'dane = require'],
    ['starttls = disable', 'starttls', 'starttls = require'],
    ['starttls = optional', 'starttls', 'starttls = require'],
    ['allow-invalid-certs = true', 'allowInvalidCerts', 'starttls = require'],
    ['audit = true', 'audit', 'dane = require'],
    ['audit = true', 'audit', 'mta-sts = require'],
    ['audit = true', 'audit', 'starttls = require'],
    ['min-tls-version = TLSv1', 'minTlsVersion', 'starttls = require'],
    ['ciphers = AES256-SHA', 'ciphers', 'starttls = require'],
  ]
  for (const [sets, key, demand] of lowering) {
    const before = settingsFor(settingsOf(`[main]\n${demand}\n`), facts(), MX, NOW)

    test(`never lowers ${demand} of [main] with ${sets}`, () => {
      const host = byMxRule(sets, `[main]\n${demand}`, insecure)
      assert.equal(host[key], before[key])
      assert.deepEqual(host.setBy[key], before.setBy[key])
      assert.deepEqual(host.keptAgainstMxRules, [key])
    })

    test(`nor that of a rule that stands behind it, ${demand} with ${sets}`, () => {
      const settings = settingsOf(
        `[rule:mx]\nif-mx[] = ${MX}\n${sets}\n[rule:domain]\nif-rcpt-domain[] = example.org\n${demand}\n`,
      )
      assert.equal(settingsFor(settings, facts(), MX, NOW, insecure)[key], before[key])
    })

    test(`does so where the MX record is secure, or where another plugin named the host: ${sets}`, () => {
      const secure = byMxRule(sets, `[main]\n${demand}`, { mxIsSecure: true, stsEnforced: true })
      assert.notEqual(secure[key], before[key])
      assert.deepEqual(secure.keptAgainstMxRules, [])
      const settings = settingsOf(`[main]\n${demand}\n[rule:mx]\nif-mx[] = ${MX}\n${sets}\n`)
      assert.notEqual(settingsFor(settings, facts({ route: 'static' }), MX, NOW, insecure)[key], before[key])
    })
  }

  test('T25: an enforced STS policy is neither audited nor met with an old TLS version', () => {
    assert.equal(byMxRule('audit = true', '', enforced).audit, false)
    assert.equal(byMxRule('min-tls-version = TLSv1', '', enforced).minTlsVersion, 'TLSv1.2')
    assert.equal(byMxRule('ciphers = AES256-SHA', '', enforced).ciphers, undefined)
  })

  test('lowers what nobody demands', () => {
    const sets =
      'audit = true\nmin-tls-version = TLSv1\nciphers = AES256-SHA\nallow-invalid-certs = true\nstarttls = disable\ndane = disable'
    const host = byMxRule(sets, '', insecure)
    assert.deepEqual(host.keptAgainstMxRules, [])
    assert.deepEqual(
      [host.audit, host.minTlsVersion, host.ciphers, host.allowInvalidCerts, host.starttls, host.dane],
      [true, 'TLSv1', 'AES256-SHA', true, 'disable', 'disable'],
    )
  })

  test('may raise anything', () => {
    const sets = 'dane = require\nstarttls = require\nmin-tls-version = TLSv1.3'
    const host = byMxRule(sets, '[main]\nstarttls = require', enforced)
    assert.deepEqual([host.dane, host.starttls, host.minTlsVersion], ['require', 'require', 'TLSv1.3'])
  })

  test('is distrusted when nothing is said about the MX record', () => {
    assert.equal(byMxRule('audit = true', '').audit, false)
    assert.equal(byMxRule('audit = true', '', { mxIsSecure: false }).audit, false)
  })

  test('a rule that names the recipient domain is an exception all the same', () => {
    const settings = settingsOf(
      `[main]\nstarttls = require\n[rule:a]\nif-rcpt-domain[] = example.org\nstarttls = disable\naudit = true\n`,
    )
    const host = settingsFor(settings, facts(), MX, NOW, enforced)
    assert.deepEqual([host.starttls, host.audit], ['disable', true])
  })
})

describe('a static route', () => {
  const route = facts({ route: 'static' })

  test('asks for no valid certificate', () => {
    const host = settingsFor(settingsOf('[main]\nallow-invalid-certs = false\n'), route, MX, NOW)
    assert.equal(host.allowInvalidCerts, true)
    assert.deepEqual(host.setBy.allowInvalidCerts, {
      section: 'static route',
      key: 'allow-invalid-certs',
      explicit: false,
    })
  })

  test('need not have a policy, whatever [main] or a rule for recipients requires (RFC 8461 3.4)', () => {
    const levelOf = (text: string) => settingsFor(settingsOf(text), route, MX, NOW).mtaSts
    assert.equal(levelOf('[main]\nmta-sts = require\n'), 'optional')
    assert.equal(levelOf('[rule:a]\nif-rcpt-domain[] = example.org\nmta-sts = require\n'), 'optional')
    assert.equal(levelOf('[rule:a]\nif-route = static\nmta-sts = require\n'), 'require')
    assert.equal(levelOf('[main]\nmta-sts = require\n[rule:a]\nif-route = static\nmta-sts = disable\n'), 'disable')
    assert.equal(levelOf('[main]\nmta-sts = disable\n'), 'disable')
  })

  test('asks for one where a rule with if-route = static says so, and for that rule only', () => {
    const asks = (condition: string) => {
      const settings = settingsOf(`[rule:a]\n${condition}\nallow-invalid-certs = false\n`)
      return !settingsFor(settings, route, MX, NOW).allowInvalidCerts
    }
    assert.ok(asks('if-route = static'))
    assert.ok(asks(`if-route = static\nif-mx[] = ${MX}`))
    assert.ok(!asks('if-route = static\nif-mx[] = other.example.org'))
    assert.ok(!asks('if-rcpt-domain[] = example.org'))
  })

  test('a host found in DNS is not concerned', () => {
    const settings = settingsOf('[rule:a]\nif-route = static\nallow-invalid-certs = true\n')
    assert.equal(settingsFor(settings, facts(), MX, NOW).allowInvalidCerts, false)
  })
})

const haraka = (changes: Partial<HarakaTlsInput> = {}): HarakaTlsInput => ({
  enableTls: true,
  forceTlsHosts: [],
  noTlsHosts: [],
  disableForFailedHosts: false,
  inetPrefer: 'default',
  localMxOk: false,
  mutualTls: false,
  ...changes,
})

describe("Haraka's host lists", () => {
  const list = readHarakaTls(
    haraka({ forceTlsHosts: ['mx.example.org', 'Example.NET', '192.0.2.7', '198.51.100.0/24', '2001:db8::/32'] }),
  ).forceTls

  for (const [name, expected] of [
    ['mx.example.org', true],
    ['MX.example.org', true],
    ['example.net', true],
    ['a.example.net', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.100.200', true],
    ['198.51.101.1', false],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    ['', false],
    ['fe80::1%eth0', false],
  ] as const) {
    test(`${name} ${expected ? 'is' : 'is not'} listed`, () => {
      assert.equal(matchesHostList(list, [name]), expected)
      assert.equal(matchesHostList(list, ['other.example', name]), expected)
      if (/^[\d:]/.test(name)) assert.equal(matchesHostList(list, ['other.example'], [name]), expected)
    })
  }

  test('what matches no host is ignored with a warning, as Haraka ignores it without', () => {
    const { warnings } = readHarakaTls(haraka({ noTlsHosts: ['*.example.org', '192.0.2.0/33', 'a b', 'fine.example'] }))
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/.*\[\] = (".*").*/, '$1')),
      ['"*.example.org"', '"192.0.2.0/33"', '"a b"'],
    )
  })

  test('older versions of core have single values and sections for lists', () => {
    for (const noTlsHosts of ['mx.example.org', { 'mx.example.org': undefined }] as unknown as readonly string[][]) {
      assert.ok(matchesHostList(readHarakaTls(haraka({ noTlsHosts })).noTls, ['mx.example.org']))
    }
    const undefinedList = undefined as unknown as readonly string[]
    assert.ok(!matchesHostList(readHarakaTls(haraka({ noTlsHosts: undefinedList })).noTls, ['mx.example.org']))
  })
})

describe("Haraka's own settings", () => {
  const withHaraka = (changes: Partial<HarakaTlsInput>, text = '') => settingsOf(text, { haraka: haraka(changes) })

  test('force_tls_hosts means STARTTLS with PKIX, by name, recipient domain or address, whatever the rules say', () => {
    const rule = '[rule:a]\nif-rcpt-domain[] = example.org\nstarttls = disable\nallow-invalid-certs = true\n'
    for (const listed of [MX, 'example.org', '192.0.2.0/24']) {
      const settings = withHaraka({ forceTlsHosts: [listed] }, rule)
      for (const route of ['mx', 'static'] as const) {
        const trust = { mxIsSecure: true, stsEnforced: false, addresses: ['198.51.100.1', '192.0.2.7'] }
        const host = settingsFor(settings, facts({ route }), MX, NOW, trust)
        assert.deepEqual([host.harakaTls, host.starttls, host.allowInvalidCerts], ['force', 'require', false])
        assert.equal(host.setBy.starttls.section, 'tls.ini [outbound]')
        assert.equal(host.setBy.starttls.key, 'force_tls_hosts[]')
      }
    }
  })

  test('no_tls_hosts is handed on, for the policies to decide', () => {
    const host = settingsFor(withHaraka({ noTlsHosts: [MX] }), facts(), MX, NOW)
    assert.deepEqual([host.harakaTls, host.starttls], ['none', 'optional'])
  })

  test('of both lists, force_tls_hosts wins', () => {
    const host = settingsFor(withHaraka({ noTlsHosts: [MX], forceTlsHosts: ['example.org'] }), facts(), MX, NOW)
    assert.equal(host.harakaTls, 'force')
  })

  test('a host on neither list', () => {
    const settings = withHaraka({ noTlsHosts: ['a.example'], forceTlsHosts: ['b.example'] })
    assert.equal(settingsFor(settings, facts(), MX, NOW).harakaTls, undefined)
  })

  test('enable_tls = false means starttls = disable in [main], with a warning', () => {
    const result = read('', { haraka: haraka({ enableTls: false }) })
    assert.ok(result.ok)
    assert.equal(result.settings.main.starttls, 'disable')
    assert.equal(result.warnings.length, 1)
    assert.match(result.warnings[0] ?? '', /^outbound.ini enable_tls = false: /)
    const { setBy } = settingsFor(result.settings, facts(), MX, NOW)
    assert.deepEqual(setBy.starttls, { section: 'outbound.ini', key: 'enable_tls', explicit: true })
  })

  for (const line of ['starttls = require', 'dane = require', 'mta-sts = require', 'requiretls = true']) {
    test(`enable_tls = false contradicts ${line} in [main]`, () => {
      const [error = '', ...others] = errorsOf(`[main]\n${line}\n`, { haraka: haraka({ enableTls: false }) })
      assert.match(error, /contradicts enable_tls = false in outbound.ini$/)
      assert.deepEqual(others, [])
    })
  }

  test('enable_tls = false leaves rules alone', () => {
    const settings = withHaraka({ enableTls: false }, '[rule:a]\nif-route = mx\nstarttls = require\n')
    assert.equal(settingsFor(settings, facts(), MX, NOW).starttls, 'require')
  })

  test('disable_for_failed_hosts has no effect, and that is said', () => {
    const { warnings } = readHarakaTls(haraka({ disableForFailedHosts: true }))
    assert.match(warnings.join(), /^tls.ini \[redis\] disable_for_failed_hosts = true: has no effect/)
  })
})
