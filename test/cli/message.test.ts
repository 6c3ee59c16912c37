import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readMessage } from '../../dist/cli/explain/message.js'

const read = (domain: string, options: Readonly<Record<string, unknown>> = {}) =>
  readMessage({ operands: [domain], options })

describe('the message that is asked about', () => {
  test('by default is a first attempt, by MX records, from a sender that no rule can name', () => {
    assert.deepEqual(read('Example.Org'), {
      facts: {
        ...{ recipientDomain: 'example.org', sender: '*', senderDomain: '*', retryNumber: 0 },
        ...{ lastErrors: new Set(), route: 'mx' },
      },
      route: undefined,
      request: undefined,
    })
  })
  for (const [domain, expected] of [
    ['bücher.test', 'xn--bcher-kva.test'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
  ] as const)
    test(`may go to ${domain}`, () => {
      const message = read(domain)
      assert.equal('facts' in message && message.facts.recipientDomain, expected)
    })

  for (const [given, sender, senderDomain] of [
    ['jane@example.org', 'jane@example.org', 'example.org'],
    ['<jane@example.org>', 'jane@example.org', 'example.org'],
    ['<>', '', ''],
    ['', '', ''],
  ] as const)
    test(`is from "${given}"`, () => {
      const message = read('example.org', { sender: given })
      assert.ok('facts' in message)
      assert.deepEqual([message.facts.sender, message.facts.senderDomain], [sender, senderDomain])
    })

  for (const [text, route] of [
    ['relay.test', { name: 'relay.test', address: undefined, port: 25 }],
    ['relay.test:587', { name: 'relay.test', address: undefined, port: 587 }],
    ['relay.test[192.0.2.1]:587', { name: 'relay.test', address: '192.0.2.1', port: 587 }],
    ['relay.test[2001:db8::1]', { name: 'relay.test', address: '2001:db8::1', port: 25 }],
    ['192.0.2.1:26', { name: '192.0.2.1', address: undefined, port: 26 }],
    ['[2001:db8::1]:26', { name: '2001:db8::1', address: undefined, port: 26 }],
  ] as const)
    test(`goes to ${text}`, () => {
      const message = read('example.org', { route: text, credentials: true })
      assert.ok('facts' in message)
      assert.deepEqual(message.route, { ...route, credentials: true })
      assert.equal(message.facts.route, 'static')
    })

  test('asks for one thing: REQUIRETLS wins (Q7)', () => {
    const message = read('example.org', { requiretls: true, 'tls-required-no': true })
    assert.equal('request' in message && message.request, 'requiretls')
  })

  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ['a..b', {}, /is no domain name/],
    ['jane@example.org', {}, /is no domain name/],
    ['\x1b[2J', {}, /"\\u\{1b\}\[2J" is no domain name/],
    ['[not an address]', {}, /is no domain name/],
    ['a.test', { sender: 'jane' }, /is no address/],
    ['a.test', { sender: '@a.test' }, /is no address/],
    ['a.test', { 'retry-num': '-1' }, /is no number of attempts/],
    ['a.test', { 'retry-num': '1e3' }, /is no number of attempts/],
    ['a.test', { 'last-error': ['tls', 'weather'] }, /"weather" is none of dns, /],
    ['a.test', { route: 'relay.test:0' }, /is no host/],
    ['a.test', { route: 'relay.test:99999' }, /is no host/],
    ['a.test', { route: 'relay.test[nowhere]' }, /is no host/],
    ['a.test', { route: '2001:db8::1' }, /is no host/],
    ['a.test', { route: '' }, /is no host/],
    ['a.test', { credentials: true }, /--route/],
  ]
  for (const [domain, options, problem] of wrong)
    test(`cannot be ${JSON.stringify([domain, options])}`, () => {
      const message = read(domain, options)
      assert.ok('problems' in message)
      assert.equal(message.code, 2)
      assert.match(message.problems.join(), problem)
    })
})
