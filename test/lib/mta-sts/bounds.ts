/**
 * What goes of the cache of policies, on each engine: what is old, and what is too much.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { TestEngine } from '../../support/store.ts'
import { testsOn } from './engine-test.ts'
import { DAY, DOMAIN, entry, MINUTE, UNREACHABLE, value } from './world.ts'

/** @param engine - each test has a store of its own on it */
export function boundsContract(engine: TestEngine): void {
  const engineTest = testsOn(engine)
  describe(`what goes of the policies in ${engine.name}`, { skip: engine.skip }, () => {
    engineTest('what is old by the clock of the store goes, what is not stays', async (world, open, change) => {
      const cache = open()
      world.now = Date.now()
      await value(cache.save(entry(world)))
      await value(cache.save(entry(world, { domain: 'just-expired.test', fetchedAt: world.now - 10 * DAY })))
      await change(copies(2200, `expires_at = expires_at - ${15 * DAY}`))
      await value(cache.noteFailedFetch(DOMAIN, { id: 'new', at: world.now - 6 * DAY, failure: UNREACHABLE }))
      await value(cache.noteFailedFetch(DOMAIN, { id: 'old', at: world.now - 8 * DAY, failure: UNREACHABLE }))
      await value(cache.claim('old.test', 'a', MINUTE))
      await value(cache.requestRefetch('old.test'))
      await change(`UPDATE sts_claim SET claimed_until = claimed_until - ${8 * DAY}`)
      await change(`UPDATE sts_request SET requested_at = requested_at - ${8 * DAY}`)
      await value(cache.requestRefetch('new.test'))

      await value(cache.removeOld(7 * DAY))
      const left = (await value(cache.listPolicies())).map(({ domain }) => domain)
      assert.deepEqual(left, [DOMAIN, 'just-expired.test'])
      assert.equal(await value(cache.failedFetch(DOMAIN, 'old')), undefined)
      assert.notEqual(await value(cache.failedFetch(DOMAIN, 'new')), undefined)
      assert.deepEqual(await value(cache.takeRequests()), ['new.test'])
    })

    engineTest('of more policies than it holds, those go that had no mail for longest', async (world, open, change) => {
      const cache = open()
      world.now = Date.now()
      await value(cache.save(entry(world)))
      await change(copies(201_500, 'used_at = used_at - i'))
      await value(cache.noteUses(['d201500.test'], world.now))
      await value(cache.removeOld(7 * DAY))
      assert.equal((await value(cache.census(world.now))).modes.enforce, 200_000)
      const isThere = async (domain: string) => (await value(cache.read(domain))) !== undefined
      for (const domain of [DOMAIN, 'd1.test', 'd199998.test', 'd201500.test']) assert.ok(await isThere(domain), domain)
      for (const domain of ['d199999.test', 'd201499.test']) assert.ok(!(await isThere(domain)), domain)
    })

    engineTest(
      'failed fetches are bounded: the latest of all, and the latest ten of a domain',
      async (world, open, change) => {
        const cache = open()
        world.now = Date.now()
        const at = (id: number) => ({ id: `id${id}`, at: world.now - id, failure: UNREACHABLE })
        for (let id = 0; id < 50; id++) await value(cache.noteFailedFetch(DOMAIN, at(id)))
        const left = await Promise.all(
          Array.from({ length: 50 }, (_, id) => value(cache.failedFetch(DOMAIN, `id${id}`))),
        )
        assert.deepEqual(
          left.filter((each) => each !== undefined),
          [...Array.from({ length: 9 }, (_, id) => at(id)), at(49)], // the last one is new, whatever the clock says
        )
        await change(
          `${NUMBERS(100_500)} INSERT INTO sts_failed_fetch
         SELECT 'd' || i || '.test', id, failed_at - i, result, reason FROM sts_failed_fetch, numbers WHERE id = 'id0'`,
        )
        await value(cache.removeOld(7 * DAY))
        assert.equal(await value(cache.lastFailure('d100500.test')), undefined)
        assert.notEqual(await value(cache.lastFailure('d99000.test')), undefined)
      },
    )
  })
}

/** Numbers from 1, as a table. */
const NUMBERS = (count: number): string =>
  `WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${count})`

/** SQL that makes policies d1.test, d2.test … of the one of {@link DOMAIN}; `i` is the number of each. */
function copies(count: number, change: string): string {
  const [column = '', expression = ''] = change.split(' = ')
  const columns = 'id, mode, body, fetched_at, expires_at, used_at, refresh_at, failures'
  return `${NUMBERS(count)} INSERT INTO sts_policy (domain, ${columns})
    SELECT 'd' || i || '.test', ${columns.replace(column, expression)} FROM sts_policy, numbers WHERE domain = '${DOMAIN}'`
}
