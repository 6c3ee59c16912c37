/**
 * What every engine of the store must do. Each test gets a store that is empty, and as many openings of it as it asks for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import {
  receivedSql,
  type EntryQuery,
  type KeptReport,
  type ReceivedStore,
} from '../../../../dist/lib/tlsrpt/received/index.js'
import type { TestEngine } from '../../../support/store.ts'
import { policy } from '../parsing/corpus/specimen.ts'
import { DAY, kept, NOW, unsigned, value } from './ground.ts'

const add = (store: ReceivedStore, report: KeptReport): Promise<'new' | 'known'> => value(store.add(report))

async function ids(store: ReceivedStore, query: Partial<EntryQuery> = {}): Promise<readonly string[]> {
  const entries = await value(store.entries({ since: 0, isCounted: true, limit: 1000, ...query }))
  return entries.map(({ reportId }) => reportId)
}

/** The retention that removes what was received more than an hour before a time, by the clock of the store. */
function sinceBefore(time: number): number {
  return Date.now() - time + 3_600_000
}

/** @param store - another opening of the store of this test, as another process would have it */
export function receivedContract({ name, skip, store }: TestEngine): void {
  const open = (t: TestContext): ReceivedStore => store(t).module(receivedSql)
  describe(`received reports in ${name}`, { skip }, () => {
    test('an empty store has none, and nothing to remove', async (t) => {
      const store = open(t)
      assert.deepEqual(await ids(store), [])
      assert.equal(await value(store.read('0123456789abcdef')), undefined)
      await value(store.removeOld(sinceBefore(NOW)))
    })

    test('V5: a report that comes again is known, to every worker', async (t) => {
      const [one, two] = [open(t), open(t)]
      assert.equal(await add(one, kept('1')), 'new')
      assert.equal(await add(two, kept('1', { receivedAt: NOW + 1000 })), 'known')
      assert.equal(await add(two, kept('2')), 'new')
      assert.equal((await ids(one)).length, 2)
    })

    test('V5: two that come at once are one', async (t) => {
      const stores = [open(t), open(t), open(t)]
      const added = await Promise.all(stores.map((store) => add(store, kept('1'))))
      assert.deepEqual(added.sort(), ['known', 'known', 'new'])
    })

    test('V1: a forgery with a guessed id hides no real report, whichever comes first', async (t) => {
      const store = open(t)
      assert.equal(await add(store, kept('1', unsigned)), 'new')
      assert.equal(await add(store, kept('1', { signedBy: 'forger.example' })), 'new')
      assert.equal(await add(store, kept('1')), 'new')
      assert.equal(await add(store, kept('1', unsigned)), 'known')
      assert.deepEqual([await ids(store), await ids(store, { isCounted: false })], [['1', '1'], ['1']])
    })

    test('V6: a report about others, by the same signer under the same id, hides none about us', async (t) => {
      const store = open(t)
      const others = [policy('sts', { domain: 'other.example', successes: 1 })]
      assert.equal(await add(store, kept('1', { policies: others })), 'new')
      assert.equal(await add(store, kept('1')), 'new')
      assert.deepEqual([await ids(store), await ids(store, { isCounted: false })], [['1'], ['1']])
    })

    test('is read as it was written', async (t) => {
      const store = open(t)
      const details = [{ type: 'certificate-expired', receivingHost: 'mx1.example.org', reason: 'é\0𝄞', count: 3 }]
      const policies = [
        policy('sts', { strings: ['version: STSv1'], mx: ['*.example.org'], successes: 5, failures: 3, details }),
        policy('no-policy-found', { domain: undefined, successes: 1 }),
      ]
      const report = kept('1', { policies, notes: [{ code: 'null-value', text: 'x is null' }] })
      await add(store, report)
      const read = await value(open(t).read(report.entry.id))
      assert.deepEqual(read?.report, JSON.parse(JSON.stringify(report.report))) // without what is undefined
      const ways = report.entry.ways.map((way) => ({ ...way, reason: 'é\ufffd𝄞' })) // a column holds no NUL
      assert.deepEqual(read, { ...report, report: read?.report, entry: { ...report.entry, ways } })
      assert.deepEqual(report.ours, [true, false])
    })

    test('the latest come first, page by page, those of one instant once each', async (t) => {
      const store = open(t)
      for (let index = 0; index < 25; index++)
        await add(store, kept(String(index), { receivedAt: NOW + Math.floor(index / 10) }))
      const pages: string[] = []
      let after: EntryQuery['after']
      do {
        const page = await value(store.entries({ since: NOW, isCounted: true, limit: 7, ...(after && { after }) }))
        pages.push(...page.map(({ reportId }) => reportId))
        after = page.at(-1)
      } while (after !== undefined)
      assert.equal(new Set(pages).size, 25)
      assert.equal(pages.length, 25)
      const times = pages.map((id) => Math.floor(Number(id) / 10))
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      )
      assert.equal((await ids(store, { since: NOW + 2 })).length, 5)
    })

    test('those that do not count are few, and push out nothing but each other', async (t) => {
      const store = open(t)
      await add(store, kept('real', { receivedAt: NOW - DAY }))
      for (let index = 0; index < 510; index++)
        await add(store, kept(`forged ${index}`, { ...unsigned, receivedAt: NOW + index }))
      const apart = await ids(store, { isCounted: false })
      assert.equal(apart.length, 500)
      assert.deepEqual([apart[0], apart.at(-1)], ['forged 509', 'forged 10'])
      assert.deepEqual(await ids(store), ['real'])
    })

    test('what is old is removed, whatever it is, and may come again', async (t) => {
      const store = open(t)
      const old = { receivedAt: NOW - DAY }
      await add(store, kept('1', old))
      await add(store, kept('2', { ...old, ...unsigned }))
      await add(store, kept('3'))
      await value(store.removeOld(sinceBefore(NOW)))
      assert.deepEqual([await ids(store), await ids(store, { isCounted: false })], [['3'], []])
      assert.equal(await value(store.read(kept('1').entry.id)), undefined)
      assert.equal(await add(store, kept('1')), 'new')
    })

    test('hundreds of old ones are removed at a time', async (t) => {
      const store = open(t)
      for (let index = 0; index < 450; index++) await add(store, kept(String(index), { receivedAt: NOW - DAY }))
      await value(store.removeOld(sinceBefore(NOW)))
      assert.deepEqual(await ids(store), [])
    })

    test('a report that wants much room is cut, and its sums stay', async (t) => {
      const store = open(t)
      const details = Array.from({ length: 1000 }, (_, index) => ({
        type: 'validation-failure',
        reason: randomBytes(120).toString('hex'),
        count: index === 500 ? 10_000 : 1,
      }))
      const report = kept('1', { policies: [policy('sts', { strings: ['x'], failures: 10_999, details })] })
      await add(store, report)
      const read = await value(store.read(report.entry.id))
      const [cut] = read?.report.policies ?? []
      assert.deepEqual([cut?.strings, cut?.failures, read?.entry.failures], [[], 10_999, 10_999])
      assert.equal(cut?.details.length, 101)
      assert.deepEqual(
        [cut.details[0]?.count, cut.details.at(-1)],
        [10_000, { type: 'other', reason: 'other-details-folded', count: 900 }],
      )
      assert.equal(read?.notes.at(-1)?.code, 'details-folded')
    })
  })
}
