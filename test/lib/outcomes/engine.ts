/**
 * What every store of outcomes must do, whatever the engine.
 *
 * @module
 */

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  MOST_DETAILS,
  MOST_POLICIES,
  MOST_SESSION_KINDS,
  type Batch,
  type OutcomeStore,
  type PolicyCount,
  type SessionCount,
} from '../../../dist/lib/outcomes/index.js'
import type { Done } from '../../../dist/lib/store/index.js'
import { FOLDED, type AppliedPolicy, type PolicyFacts } from '../../../dist/lib/tlsrpt/index.js'

/** Opens a store that has nothing in it yet; `again`: the same store, as another process sees it. */
export interface Engine {
  readonly open: (t: TestContext) => Promise<{ readonly store: OutcomeStore; readonly again: () => OutcomeStore }>
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** 2027-01-31 00:00 UTC, a Sunday */
const MIDNIGHT = Date.UTC(2027, 0, 31)
const today = { start: MIDNIGHT, end: MIDNIGHT + DAY }

const none = (domain: string): AppliedPolicy => ({ type: 'no-policy-found', domain })
const sts: Extract<AppliedPolicy, { type: 'sts' }> = {
  type: 'sts',
  domain: 'example.org',
  strings: ['version: STSv1', 'mode: enforce', 'mx: *.example.org', 'max_age: 604800'],
  mx: ['*.example.org'],
}
const tlsa: AppliedPolicy = { type: 'tlsa', domain: 'mx1.example.org', strings: ['3 1 1 AB', '3 1 1 CD'] }
const expired: NonNullable<PolicyCount['failure']> = {
  type: 'certificate-expired',
  reason: undefined,
  sendingAddress: '192.0.2.1',
  receivingHost: 'mx1.example.org',
  receivingAddress: '2001:db8::1',
  receivingHelo: undefined,
  information: undefined,
}

let numbers = 0

export function batch(
  policies: readonly PolicyCount[],
  sessions: readonly SessionCount[] = [],
  by: Partial<Pick<Batch, 'writer' | 'number'>> = {},
): Batch {
  return { writer: 'a', number: ++numbers, ...by, policies, sessions }
}

export function counted(over: Partial<PolicyCount> = {}): PolicyCount {
  const domain = over.domain ?? 'example.org'
  return { hour: MIDNIGHT, domain, policy: none(domain), failure: undefined, count: 1, ...over }
}

function session(over: Partial<SessionCount> = {}): SessionCount {
  const kind = { host: 'mx1.example.org', level: 'verified', tlsVersion: 'TLSv1.3' } as const
  return { hour: MIDNIGHT, domain: 'example.org', ...kind, count: 1, ...over }
}

export async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

/** Facts in an order that no engine promises, fields without a value left out. */
export function sorted(facts: readonly PolicyFacts[]): readonly unknown[] {
  const plain = facts.map((one) => ({ ...one, details: inOrder(one.details) }))
  return inOrder(plain)
}

function inOrder(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item) => JSON.stringify(item))
    .sort()
    .map((text) => JSON.parse(text) as unknown)
}

/** Tests one engine. */
export function describeEngine(name: string, { open }: Engine): void {
  describe(`outcomes in ${name}`, () => {
    test('an empty store has nothing to say', async (t) => {
      const { store } = await open(t)
      assert.equal(await value(store.firstHour()), undefined)
      assert.deepEqual(await value(store.domainsOf(today, '', 10)), [])
      assert.deepEqual(await value(store.policiesOf('example.org', today)), [])
      assert.deepEqual(await value(store.sessionsOf({ period: today })), [])
    })

    test('R7, R12: what was counted comes back as it was: policies as published, all fields of a detail, sums', async (t) => {
      const { store, again } = await open(t)
      const counts = [
        counted({ policy: sts, count: 3 }),
        counted({ policy: sts, failure: expired, count: 2 }),
        counted({ policy: tlsa, failure: { type: 'validation-failure', reason: 'dane-no-match' }, count: 4 }),
      ]
      assert.deepEqual(await value(store.add(batch(counts), 0)), { isNew: true, bookedForward: 0, folded: 0 })
      await value(store.add(batch([counted({ policy: sts, hour: MIDNIGHT + 23 * HOUR })]), 0))

      const facts = await value(again().policiesOf('example.org', today))
      assert.deepEqual(
        sorted(facts),
        sorted([
          { policy: sts, successes: 4, failures: 2, details: [{ ...expired, count: 2 }] },
          {
            policy: tlsa,
            successes: 0,
            failures: 4,
            details: [{ type: 'validation-failure', reason: 'dane-no-match', count: 4 }],
          },
        ]),
      )
    })

    test('R9: the same counts are summed by the hour, the day and the week, and no hour is in two of them', async (t) => {
      const { store } = await open(t)
      const hours = Array.from({ length: 24 * 8 }, (_, index) => MIDNIGHT - 3 * DAY + index * HOUR)
      for (const hour of hours) await value(store.add(batch([counted({ hour })]), 0))

      const countOf = async (start: number, end: number): Promise<number | undefined> =>
        (await value(store.policiesOf('example.org', { start, end })))[0]?.successes
      assert.equal(await countOf(MIDNIGHT - HOUR, MIDNIGHT), 1)
      assert.equal(await countOf(MIDNIGHT, MIDNIGHT + DAY), 24)
      assert.equal(await countOf(MIDNIGHT - 2 * DAY, MIDNIGHT + 5 * DAY), 24 * 7)
      assert.equal(await countOf(MIDNIGHT + 5 * HOUR, MIDNIGHT + DAY + 7 * HOUR), 26)
      assert.equal(await countOf(MIDNIGHT + 5 * DAY, MIDNIGHT + 6 * DAY), undefined)
      assert.equal(await value(store.firstHour()), MIDNIGHT - 3 * DAY)
    })

    test('domains are told in the order of their names, page by page, and only those of the period', async (t) => {
      const { store } = await open(t)
      const names = ['b.test', 'a.test', 'xn--bcher-kva.test', 'c.test', '1.test']
      await value(store.add(batch(names.map((domain) => counted({ domain }))), 0))
      await value(store.add(batch([counted({ domain: 'ab.test', hour: MIDNIGHT + DAY })]), 0))
      assert.deepEqual(await value(store.domainsOf(today, '', 2)), ['1.test', 'a.test'])
      assert.deepEqual(await value(store.domainsOf(today, 'a.test', 2)), ['b.test', 'c.test'])
      assert.deepEqual(await value(store.domainsOf(today, 'c.test', 2)), ['xn--bcher-kva.test'])
      assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT + HOUR, end: MIDNIGHT + DAY }, '', 9)), [])
    })

    test('two domains behind one MX are told apart', async (t) => {
      const { store } = await open(t)
      const policy = tlsa
      await value(store.add(batch([counted({ policy, domain: 'a.test' }), counted({ policy, domain: 'b.test' })]), 0))
      for (const domain of ['a.test', 'b.test'])
        assert.deepEqual(await value(store.policiesOf(domain, today)), [
          { policy: tlsa, successes: 1, failures: 0, details: [] },
        ])
    })

    test('a batch that is added again counts once, also after later ones; other writers have numbers of their own', async (t) => {
      const { store, again } = await open(t)
      const first = batch([counted()], [session()], { writer: 'x', number: 1 })
      const second = batch([counted()], [session()], { writer: 'x', number: 2 })
      const other = batch([counted()], [session()], { writer: 'y', number: 1 })
      for (const one of [first, first, second, other]) await value(store.add(one, 0))
      const repeated = await value(again().add(second, 0))
      assert.deepEqual(repeated, { isNew: false, bookedForward: 0, folded: 0 })
      await value(again().add(first, 0))
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 3)
      assert.equal((await value(store.sessionsOf({ period: today })))[0]?.count, 3)
    })

    test('what arrives for a closed hour is booked forward to the first one that is not, and said', async (t) => {
      const { store, again } = await open(t)
      await value(store.add(batch([counted()]), 0))
      assert.equal(await value(store.close(MIDNIGHT + 2 * HOUR)), MIDNIGHT + 2 * HOUR)
      assert.equal(await value(again().close(MIDNIGHT)), MIDNIGHT + 2 * HOUR, 'never goes back')

      const late = [counted({ count: 5 }), counted({ hour: MIDNIGHT + HOUR }), counted({ hour: MIDNIGHT + 3 * HOUR })]
      assert.equal((await value(again().add(batch(late), 0))).bookedForward, 6)
      const successes = async (hour: number): Promise<number | undefined> => {
        const start = MIDNIGHT + hour * HOUR
        return (await value(store.policiesOf('example.org', { start, end: start + HOUR })))[0]?.successes
      }
      assert.deepEqual(await Promise.all([0, 1, 2, 3].map(successes)), [1, undefined, 6, 1])
    })

    test('details beyond the bound of an hour are folded: result types and sums stay', async (t) => {
      const { store } = await open(t)
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
      const { store } = await open(t)
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
    })

    test('a policy as long as a book is counted without being quoted', async (t) => {
      const { store } = await open(t)
      await value(store.add(batch([counted({ policy: { ...sts, strings: ['x'.repeat(20_000)] } })]), 0))
      assert.deepEqual(await value(store.policiesOf('example.org', today)), [
        { policy: { type: 'sts', domain: 'example.org' }, successes: 1, failures: 0, details: [] },
      ])
    })

    test('sessions are told by the hour, host, level and TLS version; those beyond the bound without a host', async (t) => {
      const { store } = await open(t)
      const inClear = session({ level: 'clear-text', tlsVersion: undefined, hour: MIDNIGHT + HOUR })
      const elsewhere = session({ domain: 'example.com', host: undefined, level: 'refused', tlsVersion: undefined })
      await value(store.add(batch([], [session({ count: 2 }), inClear, elsewhere]), 0))
      await value(store.add(batch([], [session()]), 0))
      const ofDomain = await value(store.sessionsOf({ period: today, domain: 'example.org' }))
      assert.deepEqual(inOrder(ofDomain), inOrder([session({ count: 3 }), inClear]))
      assert.equal((await value(store.sessionsOf({ period: today }))).length, 3)

      const many = Array.from({ length: MOST_SESSION_KINDS + 9 }, (_, index) => session({ host: `h${index}.test` }))
      await value(store.add(batch([], many), 0))
      const all = await value(store.sessionsOf({ period: today, domain: 'example.org' }))
      assert.equal(
        all.reduce((total, { count }) => total + count, 0),
        MOST_SESSION_KINDS + 9 + 4,
      )
      assert.ok(all.filter(({ hour }) => hour === MIDNIGHT).length <= MOST_SESSION_KINDS + 1)
    })

    test('old days are removed, with all that only they had; later ones stay', async (t) => {
      const { store } = await open(t)
      const old = Array.from({ length: 2500 }, (_, index) =>
        counted({ domain: `d${index}.test`, hour: MIDNIGHT - (1 + (index % 48)) * HOUR }),
      )
      await value(store.add(batch(old, [session({ hour: MIDNIGHT - HOUR })]), 0))
      await value(store.add(batch([counted({ policy: tlsa })], [session()]), 0))
      await value(store.removeOld(MIDNIGHT + HOUR))
      assert.equal(await value(store.firstHour()), MIDNIGHT)
      assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT - 3 * DAY, end: MIDNIGHT + DAY }, '', 9)), [
        'example.org',
      ])
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.policy.domain, 'mx1.example.org')
      assert.equal((await value(store.sessionsOf({ period: { ...today, start: 0 } }))).length, 1)
      await value(store.removeOld(MIDNIGHT + 2 * DAY))
      assert.equal(await value(store.firstHour()), undefined)
    })

    test('after its end nothing can be added, and that is said', async (t) => {
      const { store } = await open(t)
      store.end()
      assert.equal((await store.add(batch([counted()]), 0)).ok, false)
    })
  })
}
