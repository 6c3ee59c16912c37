/**
 * How much every store of outcomes tells apart, and what becomes of the rest.
 *
 * @module
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  MOST_DETAILS,
  MOST_POLICIES,
  MOST_QUOTED_DETAILS,
  MOST_QUOTED_POLICIES,
  MOST_SESSION_KINDS,
} from '../../../../dist/lib/tlsrpt/counting/index.js'
import { FOLDED, type AppliedPolicy, type PolicyFacts } from '../../../../dist/lib/tlsrpt/format/index.js'
import { outcomesOf } from '../../../support/modules.ts'
import type { TestEngine } from '../../../support/store.ts'
import { batch, counted, expired, HOUR, inOrder, MIDNIGHT, session, sts, tlsa, today, value } from './ground.ts'

export function describeBounds({ name, skip, store: openStore }: TestEngine): void {
  describe(`the bounds of outcomes in ${name}`, { skip }, () => {
    test('details beyond the bound of an hour are folded: result types and sums stay', async (t) => {
      const store = outcomesOf(openStore(t))
      const details = Array.from({ length: MOST_DETAILS + 50 }, (_, index) =>
        counted({ policy: sts, failure: { ...expired, receivingAddress: `2001:db8::${(index + 1).toString(16)}` } }),
      )
      const others = [
        counted({ policy: sts, failure: { type: 'validation-failure', reason: 'handshake-failed' }, count: 7 }),
      ]
      let folded = 0
      for (const one of [details.slice(0, 100), details.slice(100), others, details.slice(0, 3), details.slice(-3)])
        folded += (await value(store.add(batch(one), 0))).folded
      assert.equal(folded, 50 + 7 + 3)

      const [facts, ...more] = await value(store.policiesOf('example.org', today))
      assert.ok(facts && more.length === 0)
      assert.equal(facts.failures, MOST_DETAILS + 50 + 7 + 6)
      const foldedOnes = facts.details.filter(({ reason }) => reason === FOLDED)
      assert.deepEqual(foldedOnes.map(({ type, count }) => `${type} ${count}`).sort(), [
        'certificate-expired 53',
        'validation-failure 7',
      ])
      assert.equal(facts.details.length, MOST_DETAILS + 2)
      const nextHour = counted({ policy: sts, failure: { ...expired, reason: 'new' }, hour: MIDNIGHT + HOUR })
      assert.equal((await value(store.add(batch([nextHour]), 0))).folded, 0)
    })

    test('policies beyond the bound of an hour are folded: they lose their strings, and their sums stay', async (t) => {
      const store = outcomesOf(openStore(t))
      const versions = Array.from({ length: MOST_POLICIES + 20 }, (_, index) =>
        counted({ policy: { ...tlsa, domain: `mx${index}.example.org` } }),
      )
      assert.equal((await value(store.add(batch(versions), 0))).folded, 20)
      assert.equal((await value(store.add(batch(versions.slice(0, 5)), 0))).folded, 0)
      const facts = await value(store.policiesOf('example.org', today))
      assert.equal(facts.length, MOST_POLICIES + 1)
      assert.deepEqual(
        facts.filter(({ policy }) => policy.domain === 'example.org'),
        [{ policy: { type: 'tlsa', domain: 'example.org' }, successes: 20, failures: 0, details: [] }],
      )
      assert.equal(
        (await value(store.add(batch([counted()]), 0))).folded,
        0,
        'one without a policy has nothing to lose',
      )
    })

    test('a hundred policies of a period are quoted, those with the most sessions; the others lose their strings only', async (t) => {
      const store = outcomesOf(openStore(t))
      const count = MOST_QUOTED_POLICIES + 20
      for (let index = 0; index < count; index++) {
        const policy: AppliedPolicy = { ...tlsa, domain: `mx${index}.example.org` }
        const hour = MIDNIGHT + (index % 24) * HOUR
        const failed = counted({ policy, hour, failure: expired })
        await value(store.add(batch([counted({ policy, hour, count: index === count - 1 ? 900 : 1 }), failed]), 0))
      }
      const facts = await value(store.policiesOf('example.org', today))
      const [quoted = [], others = []] = [true, false].map((isQuoted) =>
        facts.filter(({ policy }) => 'strings' in policy === isQuoted),
      )
      assert.equal(quoted.length, MOST_QUOTED_POLICIES)
      assert.ok(
        quoted.some(({ policy, successes }) => policy.domain === `mx${count - 1}.example.org` && successes === 900),
      )
      assert.ok(others.every(({ policy }) => policy.type === 'tlsa' && policy.domain === 'example.org'))
      const sum = (number: (one: PolicyFacts) => number): number => facts.reduce((total, one) => total + number(one), 0)
      assert.deepEqual([sum(({ successes }) => successes), sum(({ failures }) => failures)], [count - 1 + 900, count])
      assert.equal(
        sum(({ details }) => details.reduce((total, detail) => total + detail.count, 0)),
        count,
      )
    })

    test('a policy as long as a book is counted without being quoted', async (t) => {
      const store = outcomesOf(openStore(t))
      await value(store.add(batch([counted({ policy: { ...sts, strings: ['x'.repeat(20_000)] } })]), 0))
      assert.deepEqual(await value(store.policiesOf('example.org', today)), [
        { policy: { type: 'sts', domain: 'example.org' }, successes: 1, failures: 0, details: [] },
      ])
    })

    test('sessions are told by the hour, host, level and TLS version; those beyond the bound without a host', async (t) => {
      const store = outcomesOf(openStore(t))
      const inClear = session({ level: 'clear-text', tlsVersion: undefined, hour: MIDNIGHT + HOUR })
      const elsewhere = session({ domain: 'example.com', host: undefined, level: 'refused', tlsVersion: undefined })
      await value(store.add(batch([], [session({ count: 2 }), inClear, elsewhere]), 0))
      await value(store.add(batch([], [session()]), 0))
      const ofDomain = await value(store.sessionsOf({ period: today, domain: 'example.org' }))
      assert.deepEqual(inOrder(ofDomain), inOrder([session({ count: 3 }), inClear]))
      assert.deepEqual(await value(store.sessionsOf({ period: today, domain: 'example.com' })), [elsewhere])

      const many = Array.from({ length: MOST_SESSION_KINDS + 9 }, (_, index) => session({ host: `h${index}.test` }))
      await value(store.add(batch([], many), 0))
      const all = await value(store.sessionsOf({ period: today, domain: 'example.org' }))
      assert.equal(
        all.reduce((total, { count }) => total + count, 0),
        MOST_SESSION_KINDS + 9 + 4,
      )
      assert.ok(all.filter(({ hour }) => hour === MIDNIGHT).length <= MOST_SESSION_KINDS + 1)
    })

    test('two thousand details of a period are told, those with the most sessions; the others are folded by their type', async (t) => {
      const store = outcomesOf(openStore(t))
      const period = { start: MIDNIGHT, end: MIDNIGHT + 7 * 24 * HOUR }
      const count = MOST_QUOTED_DETAILS + 100
      const failure = (index: number) => ({ ...expired, receivingAddress: `2001:db8::${index.toString(16)}` })
      for (let index = 0; index < count; index += 150) {
        const hour = MIDNIGHT + (index / 150) * 6 * HOUR
        const details = Array.from({ length: Math.min(150, count - index) }, (_, more) =>
          counted({ policy: sts, hour, failure: failure(index + more), count: index + more < 50 ? 9 : 1 }),
        )
        await value(store.add(batch(details), 0))
      }
      const [facts] = await value(store.policiesOf('example.org', period))
      assert.ok(facts)
      const folded = facts.details.filter(({ reason }) => reason === FOLDED)
      assert.deepEqual(
        folded.map(({ type, count: sessions }) => [type, sessions]),
        [['certificate-expired', 100]],
      )
      assert.equal(facts.details.length, MOST_QUOTED_DETAILS + 1)
      assert.equal(facts.details.filter((detail) => detail.count === 9).length, 50)
      assert.equal(facts.failures, count + 50 * 8)
    })
  })
}
