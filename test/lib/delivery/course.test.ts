import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  candidatesOf,
  deferralOf,
  goOn,
  isSkipped,
  isTarget,
  leaveToNextAttempt,
  newDelivery,
  nextAfter,
  refuse,
  type HostRefusal,
} from '../../../dist/lib/delivery/index.js'
import type { EnhancedStatus, Reason } from '../../../dist/lib/policy/index.js'
import type { Target } from '../../../dist/enforce/candidates.js'
import { planned, targetOf } from '../../enforce/target.ts'
import { settings, tlsa } from '../policy/question.ts'

const reason = (changes: Partial<Reason> = {}): Reason => ({
  code: 'handshake-failed',
  concern: 'tls',
  text: 'it failed',
  source: 'RFC 3207 4',
  status: '4.7.5',
  ...changes,
})

const lost = reason({ code: 'connection-failed', concern: 'connection', status: '4.4.1' })

/** Two addresses of one host, one of another. */
function targets(): readonly [Target, Target, Target] {
  const first = targetOf()
  const second = { ...first, address: '192.0.2.2', mx: { exchange: '192.0.2.2' } }
  return [first, second, targetOf({}, '192.0.2.3')]
}

describe('the course of a delivery', () => {
  for (const concern of ['connection', 'tls', 'dane', 'mta-sts', 'smtp', 'dns'] as const)
    test(`after a refusal for the sake of ${concern} comes the next address of the host, then the next host (RFC 5321 5.1)`, () => {
      const [first, second, other] = targets()
      const delivery = newDelivery('example.test', [second, other], 0)
      const because = reason({ concern })
      refuse(delivery, first, because)
      assert.deepEqual(delivery.refusals, [{ host: 'mx1.example.test[192.0.2.1]', because }])
      assert.equal(nextAfter(delivery, first.host), 'next-address')
      assert.equal(delivery.queue.shift(), second)
      assert.equal(nextAfter(delivery, first.host), 'next-host')
      assert.equal(delivery.queue.shift(), other)
      assert.equal(nextAfter(delivery, first.host), 'nowhere')
    })

  test('of many addresses of a host five are tried, and that others are left is said; it is no end for good', () => {
    const { host, question } = planned()
    const addresses = Array.from({ length: 8 }, (_, index) => `192.0.2.${index}`)
    const candidates = candidatesOf({ ...host, addresses }, question.domain)
    assert.deepEqual(
      candidates.map((one) => (isSkipped(one) ? one.because.text : one.address)),
      [...addresses.slice(0, 5), 'not tried at 3 more addresses: 5 in one attempt are enough'],
    )
    const last = candidates.at(-1)
    assert.ok(last !== undefined && isSkipped(last))
    const forGood = { host: 'mx1', because: reason({ status: '5.7.10' }) }
    assert.equal(deferralOf('example.test', [forGood]).status, '5.7.10')
    assert.match(deferralOf('example.test', [forGood, { host: 'mx1', because: last.because }]).status, /^4/)
  })

  test('of a host with many addresses of one family two of the other have their turn', () => {
    const question = { ...targetOf() }
    const host = question.host
    const v6 = Array.from({ length: 8 }, (_, index) => `2001:db8::${index + 1}`)
    const v4 = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
    const tried = (addresses: readonly string[]): string[] =>
      candidatesOf({ ...host, addresses }, question.domain).flatMap((one) => (isSkipped(one) ? [] : [one.address]))
    assert.deepEqual(tried([...v6, ...v4]), [...v6.slice(0, 3), '192.0.2.1', '192.0.2.2'])
    assert.deepEqual(tried([...v6, '192.0.2.1']), [...v6.slice(0, 4), '192.0.2.1'])
    assert.deepEqual(tried([...v4, ...v6]), [...v4, ...v6.slice(0, 2)])
    assert.deepEqual(tried(v6), v6.slice(0, 5))
  })

  test('after thirty connections the others are left to the next attempt', () => {
    const [first, second, other] = targets()
    const delivery = newDelivery('example.test', [second, other], 0)
    delivery.connections = 29
    assert.equal(leaveToNextAttempt(delivery, first, 0), false)
    delivery.connections = 30
    assert.equal(leaveToNextAttempt(delivery, first, 0), true)
    assert.deepEqual(delivery.queue, [])
    assert.match(deferralOf('example.test', delivery.refusals).text, /not tried: the attempt has taken 30 connections/)
  })

  const refused = (handshakeFailed: boolean, judgement?: object) =>
    ({
      ...{ status: 'refused', because: reason(), handshakeFailed, replies: [] },
      starttls: judgement === undefined ? { status: 'failed', text: '' } : { status: 'done', judgement },
    }) as unknown as Parameters<typeof goOn>[2]

  test('a clear-text retry goes to the same address, before anything else, and once', () => {
    const [first, second, other] = targets()
    const delivery = newDelivery('example.test', [second, other], 0)
    assert.equal(goOn(delivery, first, refused(true)), 'in-clear')
    assert.deepEqual(delivery.queue, [{ ...first, afterFailure: reason() }, second, other])
    assert.deepEqual(delivery.refusals, [])
    const again = delivery.queue.shift()
    assert.ok(again !== undefined)
    assert.equal(goOn(delivery, again, refused(true)), 'next-address')
  })

  test('a host whose TLSA records are gone for sure is planned anew, at each of its addresses, once', () => {
    const first = targetOf({ host: { tlsa: tlsa('usable') } })
    const second = { ...first, address: '192.0.2.2' }
    const delivery = newDelivery('example.test', [second, targetOf({}, '192.0.2.3')], 0)
    assert.equal(goOn(delivery, first, refused(false, { tlsaWithdrawn: true })), 'planned-anew')
    const [again, after, other] = delivery.queue
    assert.deepEqual(
      [again, after, other].map((one) => one?.address),
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    )
    for (const one of [again, after]) {
      assert.equal(one?.host.evidence.tlsa.status, 'none')
      assert.deepEqual([one.verdict.tls, one.verdict.proofs], ['opportunistic', ['pkix']])
    }
    assert.deepEqual(delivery.refusals, [])
    delivery.queue.shift()
    assert.ok(again !== undefined)
    assert.equal(goOn(delivery, again, refused(false, { tlsaWithdrawn: true })), 'next-address')
  })

  test('with dane = require it is refused: it has no records to match', () => {
    const target = targetOf({ host: { tlsa: tlsa('usable') }, settings: settings({ dane: 'require' }) })
    const delivery = newDelivery<Target>('example.test', [], 0)
    assert.equal(goOn(delivery, target, refused(false, { tlsaWithdrawn: true })), 'nowhere')
    assert.equal(delivery.refusals.length, 1)
  })

  test('after ten minutes of hosts that let connections hang, the others are left to the next attempt', () => {
    const [first, second, other] = targets()
    const delivery = newDelivery('example.test', [second, other], 1000)
    assert.equal(leaveToNextAttempt(delivery, first, 600_999), false)
    assert.deepEqual(delivery.queue, [second, other])
    assert.equal(leaveToNextAttempt(delivery, first, 601_000), true)
    assert.deepEqual(delivery.queue, [])
    const { status, text } = deferralOf('example.test', delivery.refusals)
    assert.equal(status, '4.4.1')
    assert.match(text, /mx1\.example\.test \(not tried: the attempt has taken 10 minutes/)
  })

  test('the list it began with stays as it is', () => {
    const candidates = [targetOf()]
    newDelivery('example.test', candidates, 0).queue.pop()
    assert.equal(candidates.length, 1)
  })

  test('hosts with a verdict against them, LMTP on this machine and targets are told apart', () => {
    const { host, question } = planned()
    const skipped = { host, domain: question.domain, because: reason() }
    const untouched = { mx: { path: '/run/lmtp' } }
    const kinds = [skipped, untouched, targetOf()].map((one) => [isSkipped(one), isTarget(one)])
    assert.deepEqual(kinds, [
      [true, false],
      [false, false],
      [false, true],
    ])
    assert.equal(isTarget(undefined), false)
  })
})

describe('what is said of a message that nobody took', () => {
  const refusals = (...statuses: EnhancedStatus[]): HostRefusal[] =>
    statuses.map((status, index) => ({ host: `mx${index + 1}.example.test`, because: reason({ status }) }))

  for (const [statuses, expected] of [
    [['4.4.1', '4.7.5'], '4.7.5'],
    [['4.4.3', '4.7.4'], '4.7.4'],
    [['4.7.4', '4.7.5'], '4.7.5'],
    [['4.4.1', '4.4.3'], '4.4.3'],
    [['4.4.2', '4.4.1'], '4.4.2'],
    [['4.4.1', '4.4.6'], '4.4.6'],
  ] as const)
    test(`${statuses.join(' and ')} come to ${expected}`, () => {
      assert.equal(deferralOf('example.test', refusals(...statuses)).status, expected)
    })

  test('domain, host, reason and section are named', () => {
    const { text } = deferralOf('example.test', refusals('4.7.5'))
    assert.equal(text, 'no host of example.test has what is asked of it here: mx1.example.test (it failed. RFC 3207 4)')
  })

  for (const concern of ['dane', 'mta-sts'] as const)
    test(`a policy is blamed where there is one: ${concern}`, () => {
      const [refusal] = refusals('4.7.5')
      assert.ok(refusal !== undefined)
      const { text } = deferralOf('example.test', [{ ...refusal, because: { ...refusal.because, concern } }])
      assert.match(text, /^no host of example\.test satisfied its policy: /)
    })

  test('who was not reached did not violate a policy', () => {
    assert.match(deferralOf('example.test', refusals('4.4.1')).text, /^no host of example\.test took the message: /)
  })

  test('no host at all', () => {
    const { status, text } = deferralOf('example.test', [])
    assert.deepEqual([status, text], ['4.4.1', 'example.test has no host to deliver to'])
  })

  test('eight hosts are named, more are counted', () => {
    const { text } = deferralOf('example.test', refusals(...Array.from({ length: 20 }, () => '4.7.5' as const)))
    assert.match(text, /mx8\.example\.test .*, and 12 more$/)
    assert.doesNotMatch(text, /mx9\./)
  })

  test('every concern is kept, for if-last-error', () => {
    const both = [...refusals('4.7.5'), { host: 'mx2', because: lost }]
    assert.deepEqual(deferralOf('example.test', both).concerns, new Set(['tls', 'connection']))
  })
})
