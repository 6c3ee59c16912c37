import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expiringRules, settingsFor, type DeliveryFacts, type LastError } from '../../../dist/lib/settings/index.js'
import { facts, NOW, settingsOf } from './settings.ts'

/** Whether a rule with these lines matches. */
function matches(lines: string, delivery: Partial<DeliveryFacts> = {}, mx?: string, now = NOW): boolean {
  const settings = settingsOf(`[rule:a]\n${lines}\naudit = true\n`)
  return settingsFor(settings, facts(delivery), mx, now, { mxIsSecure: true, stsEnforced: false }).audit
}

describe('names', () => {
  const domains: readonly [pattern: string, matching: readonly string[], others: readonly string[]][] = [
    ['example.org', ['example.org', 'EXAMPLE.org', 'example.org.'], ['a.example.org', 'example.com', 'xample.org', '']],
    ['*.example.org', ['a.example.org', 'a.b.example.org'], ['example.org', 'aexample.org', 'a.example.org.evil', '']],
    ['Example.ORG.', ['example.org'], ['example']],
    ['bücher.example', ['bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example'], ['bucher.example']],
    ['*.xn--bcher-kva.example', ['a.bücher.example'], ['bücher.example']],
  ]
  for (const [pattern, matching, others] of domains) {
    for (const name of matching) {
      test(`${pattern} matches ${name}`, () => {
        assert.ok(matches(`if-rcpt-domain[] = ${pattern}`, { recipientDomain: name }))
        assert.ok(matches(`if-sender-domain[] = ${pattern}`, { senderDomain: name }))
        assert.ok(matches(`if-mx[] = ${pattern}`, {}, name))
      })
    }
    for (const name of others) {
      test(`${pattern} does not match ${name || 'nothing'}`, () => {
        assert.ok(!matches(`if-rcpt-domain[] = ${pattern}`, { recipientDomain: name }))
        assert.ok(!matches(`if-sender-domain[] = ${pattern}`, { senderDomain: name }))
        assert.ok(!matches(`if-mx[] = ${pattern}`, {}, name))
      })
    }
  }

  test('addresses match in any spelling', () => {
    assert.ok(matches('if-mx[] = 2001:DB8::7', { route: 'static' }, '2001:db8:0:0::7'))
    assert.ok(matches('if-mx[] = 192.0.2.7', { route: 'static' }, '192.0.2.7'))
    assert.ok(!matches('if-mx[] = 192.0.2.7', { route: 'static' }, '192.0.2.70'))
  })

  test('names from anywhere that are no names match nothing, and nothing breaks', () => {
    for (const name of ['.', '..', '%', 'a b', '[192.0.2.7]', 'fe80::1%eth0', '\ud800', 'ü'.repeat(10_000), '\0']) {
      assert.ok(!matches('if-rcpt-domain[] = *.example.org', { recipientDomain: name }))
    }
  })
})

describe('the sender', () => {
  test('matches without regard to upper and lower case', () => {
    assert.ok(matches('if-sender[] = Jane@Example.org', { sender: 'jane@EXAMPLE.org' }))
    assert.ok(!matches('if-sender[] = jane@example.org', { sender: 'joan@example.org' }))
  })
  test('<> is the null sender, and nobody else', () => {
    for (const key of ['if-sender[]', 'if-sender-domain[]']) {
      assert.ok(matches(`${key} = <>`, { sender: '', senderDomain: '' }))
      assert.ok(!matches(`${key} = <>`))
    }
  })
})

describe('attempts', () => {
  const ranges: readonly [condition: string, matching: readonly number[], others: readonly number[]][] = [
    ['0', [0], [1]],
    ['>=1', [1, 13], [0]],
    ['>1', [2], [0, 1]],
    ['<3', [0, 2], [3]],
    ['<= 3', [3], [4]],
  ]
  for (const [condition, matching, others] of ranges) {
    test(`if-retry-num = ${condition}`, () => {
      for (const retryNumber of matching) assert.ok(matches(`if-retry-num = ${condition}`, { retryNumber }))
      for (const retryNumber of others) assert.ok(!matches(`if-retry-num = ${condition}`, { retryNumber }))
    })
  }

  test('if-last-error asks for the failure of any host', () => {
    const after = (...errors: readonly LastError[]) => ({ lastErrors: new Set(errors) })
    const condition = 'if-last-error[] = tls\nif-last-error[] = dane'
    assert.ok(matches(condition, after('tls')))
    assert.ok(matches(condition, after('connection', 'dane')))
    assert.ok(!matches(condition, after('connection', 'smtp')))
    assert.ok(!matches(condition, after()))
  })

  test('without a failure that is remembered it is none', () => {
    assert.ok(matches('if-last-error[] = none'))
    assert.ok(matches('if-last-error[] = none', { lastErrors: new Set(['none']) }))
    assert.ok(!matches('if-last-error[] = none', { lastErrors: new Set(['tls']) }))
  })

  test('if-route', () => {
    assert.ok(matches('if-route = static', { route: 'static' }))
    assert.ok(!matches('if-route = static'))
    assert.ok(matches('if-route = mx'))
  })
})

describe('a rule', () => {
  test('matches if one condition of each kind does', () => {
    const lines = 'if-rcpt-domain[] = example.org\nif-rcpt-domain[] = example.net\nif-mx[] = mx1.example.org'
    assert.ok(matches(lines, { recipientDomain: 'example.net' }, 'mx1.example.org'))
    assert.ok(!matches(lines, { recipientDomain: 'example.net' }, 'mx2.example.org'))
    assert.ok(!matches(lines, { recipientDomain: 'example.com' }, 'mx1.example.org'))
  })

  test('with if-mx does not match before the host is known', () => {
    assert.ok(!matches('if-mx[] = mx1.example.org', {}, undefined))
  })

  test('stops matching at 00:00 UTC of the day it names', () => {
    const lines = 'if-route = mx\nuntil = 2027-01-31'
    assert.ok(matches(lines, {}, undefined, new Date('2027-01-30T23:59:59.999Z')))
    assert.ok(!matches(lines, {}, undefined, new Date('2027-01-31T00:00:00Z')))
  })

  test('is announced from seven days before its end until its end', () => {
    const settings = settingsOf(
      '[rule:a]\nif-route = mx\naudit = true\nuntil = 2027-01-31\nreason = ticket 4711\n' +
        '[rule:b]\nif-route = mx\naudit = true\n',
    )
    const daysLeft = (now: string) => expiringRules(settings, new Date(now)).map((rule) => rule.daysLeft)
    assert.deepEqual(daysLeft('2027-01-23T23:59:59Z'), [])
    assert.deepEqual(daysLeft('2027-01-24T00:00:00Z'), [7])
    assert.deepEqual(daysLeft('2027-01-30T00:00:00Z'), [1])
    assert.deepEqual(daysLeft('2027-01-30T23:00:00Z'), [1])
    assert.deepEqual(daysLeft('2027-01-31T00:00:00Z'), [])
    assert.deepEqual(expiringRules(settings, new Date('2027-01-29T12:00:00Z')), [
      { name: 'a', until: new Date('2027-01-31T00:00:00Z'), daysLeft: 2, reason: 'ticket 4711' },
    ])
  })
})

describe('precedence', () => {
  const settings = settingsOf(`
    [main]
    min-tls-version = TLSv1.3
    [rule:first]
    if-rcpt-domain[] = example.net
    starttls = disable
    [rule:second]
    if-rcpt-domain[] = example.org
    starttls = require
    reason = contract
    [rule:third]
    if-rcpt-domain[] = example.org
    starttls = optional
    tls-timeout = 2m
  `)
  const host = settingsFor(settings, facts(), 'mx.example.org', NOW)

  test('the first rule that matches and sets a key decides it, later rules and [main] the rest', () => {
    assert.equal(host.starttls, 'require')
    assert.equal(host.tlsTimeout, 120_000)
    assert.equal(host.minTlsVersion, 'TLSv1.3')
    assert.equal(host.dane, 'optional')
  })

  test('who decided is known for each key, with the reason', () => {
    const { starttls, tlsTimeout, minTlsVersion, dane } = host.setBy
    assert.deepEqual(starttls, { section: '[rule:second]', key: 'starttls', reason: 'contract', explicit: true })
    assert.deepEqual(tlsTimeout, { section: '[rule:third]', key: 'tls-timeout', explicit: true })
    assert.deepEqual(minTlsVersion, { section: '[main]', key: 'min-tls-version', explicit: true })
    assert.deepEqual(dane, { section: '[main]', key: 'dane', explicit: false })
  })

  test('an empty ca-file in a rule takes back the one of [main]', () => {
    const text = '[main]\nca-file = ours.pem\n[rule:a]\nif-rcpt-domain[] = example.org\nca-file =\n'
    assert.equal(settingsFor(settingsOf(text), facts(), undefined, NOW).caFile, undefined)
  })
})
