/**
 * What every store of outcomes must do, whatever the engine.
 *
 * @module
 */

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { OutcomeStore, PolicyCount } from '../../../../dist/lib/tlsrpt/counting/index.js'
import { FOLDED, type AppliedPolicy } from '../../../../dist/lib/tlsrpt/format/index.js'
import { outcomesOf } from '../../../support/modules.ts'
import { sql as rowsSql } from '../../../support/rows.ts'
import type { TestEngine } from '../../../support/store.ts'
import { describeBounds } from './contract-bounds.ts'
import {
  batch,
  counted,
  DAY,
  expired,
  HOUR,
  MIDNIGHT,
  none,
  removeAll,
  session,
  sorted,
  sts,
  tlsa,
  today,
  value,
} from './ground.ts'

/** Tests one engine. */
export function outcomesContract(engine: TestEngine): void {
  const { name, skip } = engine
  const open = (t: TestContext): { readonly store: OutcomeStore; readonly again: () => OutcomeStore } => {
    const again = (): OutcomeStore => outcomesOf(engine.store(t))
    return { store: again(), again }
  }
  describe(`outcomes in ${name}`, { skip }, () => {
    test('an empty store has nothing to say', async (t) => {
      const { store } = open(t)
      assert.deepEqual(await value(store.domainsOf(today, '', 10)), [])
      assert.deepEqual(await value(store.policiesOf('example.org', today)), [])
      assert.deepEqual(await value(store.sessionsOf({ period: today, domain: 'example.org' })), [])
    })

    test('R7, R12: what was counted comes back as it was: policies as published, all fields of a detail, sums', async (t) => {
      const { store, again } = open(t)
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
      const { store } = open(t)
      const hours = Array.from({ length: 24 * 8 }, (_, index) => MIDNIGHT - 3 * DAY + index * HOUR)
      for (const hour of hours) await value(store.add(batch([counted({ hour })]), 0))

      const countOf = async (start: number, end: number): Promise<number | undefined> =>
        (await value(store.policiesOf('example.org', { start, end })))[0]?.successes
      assert.equal(await countOf(MIDNIGHT - HOUR, MIDNIGHT), 1)
      assert.equal(await countOf(MIDNIGHT, MIDNIGHT + DAY), 24)
      assert.equal(await countOf(MIDNIGHT - 2 * DAY, MIDNIGHT + 5 * DAY), 24 * 7)
      assert.equal(await countOf(MIDNIGHT + 5 * HOUR, MIDNIGHT + DAY + 7 * HOUR), 26)
      assert.equal(await countOf(MIDNIGHT + 5 * DAY, MIDNIGHT + 6 * DAY), undefined)
    })

    test('domains are told in the order of their names, page by page, and only those of the period', async (t) => {
      const { store } = open(t)
      const names = ['b.test', 'a.test', 'xn--bcher-kva.test', 'c.test', '1.test']
      await value(store.add(batch(names.map((domain) => counted({ domain }))), 0))
      await value(store.add(batch([counted({ domain: 'ab.test', hour: MIDNIGHT + DAY })]), 0))
      assert.deepEqual(await value(store.domainsOf(today, '', 2)), ['1.test', 'a.test'])
      assert.deepEqual(await value(store.domainsOf(today, 'a.test', 2)), ['b.test', 'c.test'])
      assert.deepEqual(await value(store.domainsOf(today, 'c.test', 2)), ['xn--bcher-kva.test'])
      assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT + HOUR, end: MIDNIGHT + DAY }, '', 9)), [])
    })

    test('two domains behind one MX are told apart', async (t) => {
      const { store } = open(t)
      const policy = tlsa
      await value(store.add(batch([counted({ policy, domain: 'a.test' }), counted({ policy, domain: 'b.test' })]), 0))
      for (const domain of ['a.test', 'b.test'])
        assert.deepEqual(await value(store.policiesOf(domain, today)), [
          { policy: tlsa, successes: 1, failures: 0, details: [] },
        ])
    })

    test('a batch that is added again counts once, also after later ones; other writers have numbers of their own', async (t) => {
      const { store, again } = open(t)
      const first = batch([counted()], [session()], { writer: 'x', number: 1 })
      const second = batch([counted()], [session()], { writer: 'x', number: 2 })
      const other = batch([counted()], [session()], { writer: 'y', number: 1 })
      for (const one of [first, first, second, other]) await value(store.add(one, 0))
      const repeated = await value(again().add(second, 0))
      assert.deepEqual(repeated, { isNew: false, bookedForward: 0, folded: 0 })
      await value(again().add(first, 0))
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 3)
      assert.equal((await value(store.sessionsOf({ period: today, domain: 'example.org' })))[0]?.count, 3)
    })

    test('what arrives for a closed hour is booked forward to the first one that is not, and said', async (t) => {
      const { store, again } = open(t)
      await value(store.add(batch([counted()]), 0))
      assert.equal(await value(store.close(MIDNIGHT + 2 * HOUR)), MIDNIGHT + 2 * HOUR)
      assert.equal(await value(again().close(MIDNIGHT)), MIDNIGHT + 2 * HOUR, 'never goes back')

      const late = [counted({ count: 5 }), counted({ hour: MIDNIGHT + HOUR }), counted({ hour: MIDNIGHT + 3 * HOUR })]
      assert.equal((await value(again().add(batch(late), MIDNIGHT + 3 * HOUR))).bookedForward, 6)
      const successes = async (hour: number): Promise<number | undefined> => {
        const start = MIDNIGHT + hour * HOUR
        return (await value(store.policiesOf('example.org', { start, end: start + HOUR })))[0]?.successes
      }
      assert.deepEqual(await Promise.all([0, 1, 2, 3].map(successes)), [1, undefined, 6, 1])
    })

    test('what many reports are made of is told domain by domain, in their order, and nothing of those without sessions', async (t) => {
      const { store } = open(t)
      const domains = Array.from({ length: 300 }, (_, index) => `d${(index * 7) % 300}.test`)
      const policyOf = (domain: string): AppliedPolicy =>
        domain.endsWith('3.test') ? { ...sts, domain, mx: [`*.${domain}`] } : none(domain)
      const counts = domains.map((domain, index) =>
        counted({ domain, policy: policyOf(domain), hour: MIDNIGHT + (index % 24) * HOUR, count: index + 1 }),
      )
      await value(store.add(batch(counts), 0))
      const asked = ['gone.test', ...domains, 'd5.test']
      const each = await value(store.policiesOfEach(asked, today))
      assert.equal(each.length, asked.length)
      assert.deepEqual(each[0], [])
      domains.forEach((domain, index) =>
        assert.deepEqual(each[index + 1], [
          { policy: policyOf(domain), successes: index + 1, failures: 0, details: [] },
        ]),
      )
      assert.deepEqual(each.at(-1), each[domains.indexOf('d5.test') + 1])
      assert.deepEqual(await value(store.policiesOfEach([], today)), [])
    })

    test('names that mean something to regular expressions, SQL or JSON are kept as they are', async (t) => {
      const { store } = open(t)
      const domains = [
        'a',
        'sts',
        '$&',
        "it's",
        '"',
        '\\',
        '%',
        '*',
        'null',
        '[::1]',
        '0',
        'x y',
        'ü.test',
        '[IPv6:2001:db8::1]',
      ]
      for (const domain of domains) {
        const policy: AppliedPolicy = { ...sts, domain, mx: [`*.${domain}`, 'a.sts.null'] }
        const failed = counted({
          domain,
          policy,
          failure: { ...expired, receivingHost: `mx.${domain}`, reason: domain },
        })
        const host = `${domain}${domain}.test`
        await value(store.add(batch([counted({ domain, policy, count: 2 }), failed], [session({ domain, host })]), 0))
      }
      for (const domain of domains) {
        const [facts, ...more] = await value(store.policiesOf(domain, today))
        assert.deepEqual(facts?.policy, { ...sts, domain, mx: [`*.${domain}`, 'a.sts.null'] })
        assert.deepEqual([facts.successes, facts.failures, more], [2, 1, []])
        assert.equal(facts.details[0]?.receivingHost, `mx.${domain}`)
        assert.equal(facts.details[0].reason, domain)
        const sessions = await value(store.sessionsOf({ period: today, domain }))
        assert.deepEqual(
          sessions.map(({ host }) => host),
          [`${domain}${domain}.test`],
        )
      }
      assert.deepEqual((await value(store.domainsOf(today, '', 99))).toSorted(), domains.toSorted())
    })

    test('old days are removed, with all that only they had; later ones stay', async (t) => {
      const { store } = open(t)
      const old = Array.from({ length: 2500 }, (_, index) =>
        counted({ domain: `d${index}.test`, hour: MIDNIGHT - (1 + (index % 48)) * HOUR }),
      )
      await value(store.add(batch(old, [session({ hour: MIDNIGHT - HOUR })]), 0))
      await value(store.add(batch([counted({ policy: tlsa })], [session()]), 0))
      await removeAll(store, MIDNIGHT + HOUR)
      assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT - 3 * DAY, end: MIDNIGHT + DAY }, '', 9)), [
        'example.org',
      ])
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.policy.domain, 'mx1.example.org')
      assert.equal(
        (await value(store.sessionsOf({ period: { ...today, start: MIDNIGHT - 3 * DAY }, domain: 'example.org' })))
          .length,
        1,
      )
      await removeAll(store, MIDNIGHT + 2 * DAY)
      assert.deepEqual(await value(store.policiesOf('example.org', today)), [])
    })

    test('what arrives for a day that has been removed is written to a later one', async (t) => {
      const { store } = open(t)
      await removeAll(store, MIDNIGHT)
      const early = { hour: MIDNIGHT - HOUR }
      const late = batch([counted(early)], [session(early)])
      assert.equal((await value(store.add(late, MIDNIGHT + HOUR))).bookedForward, 1)
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 1)
      assert.deepEqual(await value(store.sessionsOf({ period: today, domain: 'example.org' })), [session()])
    })

    test('nothing is written to a day to come, though days until then were removed by a clock that was wrong', async (t) => {
      const { store } = open(t)
      await removeAll(store, MIDNIGHT + 300 * DAY)
      await value(store.add(batch([counted()], [session()]), MIDNIGHT + HOUR))
      assert.equal((await value(store.policiesOf('example.org', today)))[0]?.successes, 1)
      assert.equal((await value(store.sessionsOf({ period: today, domain: 'example.org' }))).length, 1)
    })

    test('domains are found by their names among those of several days, whatever the names are', async (t) => {
      const { store } = open(t)
      const names = Array.from({ length: 600 }, (_, index) => `${['ａ', '😀', 'z', 'é'][index % 4]}${index}.test`)
      const counts = names.map((domain, index) => counted({ domain, hour: MIDNIGHT + (index % 3) * DAY }))
      await value(store.add(batch(counts), 0))
      const period = { start: MIDNIGHT, end: MIDNIGHT + 3 * DAY }
      const found: string[] = []
      for (let page = await value(store.domainsOf(period, '', 70)); page.length > 0;) {
        found.push(...page)
        page = await value(store.domainsOf(period, found.at(-1) ?? '', 70))
      }
      assert.deepEqual(found.toSorted(), names.toSorted())
      assert.deepEqual(await value(store.domainsOf({ start: MIDNIGHT + HOUR, end: MIDNIGHT + HOUR }, '', 9)), [])
    })

    test('sessions with all domains are told by the hour, level and TLS version', async (t) => {
      const { store, again } = open(t)
      const refused = { hour: MIDNIGHT - HOUR, level: 'refused', tlsVersion: undefined } as const
      await value(store.add(batch([], [session({ count: 2 }), session(refused)]), 0))
      await value(again().add(batch([], [session({ domain: 'a.test', host: 'mx.a.test', count: 2 })]), 0))
      const verified = { hour: MIDNIGHT, level: 'verified', tlsVersion: 'TLSv1.3', count: 4 }
      assert.deepEqual(await value(store.levels({ start: MIDNIGHT - HOUR, end: MIDNIGHT + HOUR })), [
        { ...refused, count: 1 },
        verified,
      ])
      assert.deepEqual(await value(store.levels({ start: 0, end: MIDNIGHT })), [{ ...refused, count: 1 }])
      assert.deepEqual(await value(store.levels({ start: MIDNIGHT, end: Infinity })), [verified])
    })

    test('rows that somebody has removed keep nobody from the reports on others, and lose no sum', async (t) => {
      const { store } = open(t)
      const domains = ['a.test', 'b.test', 'c.test', 'd.test']
      for (const [index, domain] of domains.entries()) {
        const policy = { ...tlsa, domain: `mx${index}.test` }
        const failed = counted({ domain, policy, failure: { ...expired, reason: `${index}` } })
        await value(store.add(batch([counted({ domain, policy }), failed]), 0))
      }
      await engine.change(t, 'DELETE FROM outcome_policy WHERE id <= 2')
      await engine.change(t, 'DELETE FROM outcome_failure WHERE id <= 2')
      const each = await value(store.policiesOfEach(domains, today))
      assert.deepEqual(
        each.map(([facts]) => [facts?.policy.type, facts?.successes, facts?.failures, facts?.details[0]?.reason]),
        domains.map((_, index) => (index < 2 ? ['no-policy-found', 1, 1, FOLDED] : ['tlsa', 1, 1, `${index}`])),
      )
    })

    test('policies, failures and connections that many counts have are there once, and go with the last of them', async (t) => {
      const { store, again } = open(t)
      const tables = engine.store(t).module(rowsSql)
      const rows = async (): Promise<readonly number[]> => {
        const names = [
          'outcome_count',
          'outcome_session',
          'outcome_level',
          'outcome_policy',
          'outcome_failure',
          'outcome_connection',
        ]
        const counted = await Promise.all(names.map((name) => value(tables.rows(`SELECT count(*) AS n FROM ${name}`))))
        return counted.map(([row]) => Number(row?.n))
      }
      const failed = (over: Partial<PolicyCount>) => counted({ policy: sts, failure: expired, ...over })
      const later = { hour: MIDNIGHT + 2 * DAY }
      const [first, other] = [{}, { domain: 'a.test' }]
      await value(store.add(batch([failed(first), failed(other)], [session(first), session(other)]), 0))
      await value(again().add(batch([failed(later)], [session(later)]), 0))
      assert.deepEqual(await rows(), [3, 3, 2, 1, 1, 1])
      await removeAll(store, MIDNIGHT + DAY)
      assert.deepEqual(await rows(), [1, 1, 1, 1, 1, 1])
      const [facts] = await value(store.policiesOf('example.org', { start: MIDNIGHT, end: MIDNIGHT + 3 * DAY }))
      assert.deepEqual([facts?.policy, facts?.details], [sts, [{ ...expired, count: 1 }]])
      await removeAll(store, MIDNIGHT + 3 * DAY)
      assert.deepEqual(await rows(), [0, 0, 0, 0, 0, 0])
    })

    test('after its end nothing can be added, and that is said', async (t) => {
      const { store } = open(t)
      store.end()
      assert.equal((await store.add(batch([counted()]), 0)).ok, false)
    })
  })
  describeBounds(engine)
}
