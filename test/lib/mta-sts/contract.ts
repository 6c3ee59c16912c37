/**
 * What the cache of policies must do on each engine.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedPolicy, StsCache, StsMode } from '../../../dist/lib/mta-sts/index.js'
import type { Done } from '../../../dist/lib/store/index.js'
import type { TestEngine } from '../../support/store.ts'
import { cacheOn, createWorld, DAY, DOMAIN, MINUTE, policyOf, policyText, UNREACHABLE, type World } from './world.ts'

function entry(world: World, change: Partial<CachedPolicy> = {}): CachedPolicy {
  const policy = policyOf(policyText('enforce'))
  const times = { fetchedAt: world.now, usedAt: world.now, refreshAt: world.now + DAY }
  return { domain: DOMAIN, id: '1', policy, ...times, failures: 0, ...change }
}

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

/** Does something to the tables behind the back of the cache. */
type Change = (sql: string) => Promise<void>

/** @param store - another opening of the store of this test, as another process would have it */
export function cacheContract({ name, skip, store, change }: TestEngine): void {
  const engineTest = (
    what: string,
    run: (world: World, open: () => StsCache, change: Change) => Promise<void>,
  ): void => {
    test(what, async (t) => {
      const world = createWorld(t, () => cacheOn(store(t)))
      await run(world, world.cache, (sql) => change(t, sql))
    })
  }

  describe(`policies in ${name}`, { skip }, () => {
    engineTest('one that is not there is none, and nothing is due', async (world, open) => {
      const cache = open()
      assert.equal(await value(cache.read(DOMAIN)), undefined)
      assert.equal(await value(cache.failedFetch(DOMAIN, '1')), undefined)
      assert.equal(await value(cache.lastFailure(DOMAIN)), undefined)
      assert.deepEqual(await value(cache.listPolicies()), [])
      const query = { now: world.now, usedSince: 0, horizon: world.now + DAY, limit: 10 }
      assert.deepEqual(await value(cache.due(query)), [])
      assert.equal(await value(cache.noteFailedRefresh(DOMAIN, world.now)), 0)
      assert.equal(await value(cache.read(DOMAIN)), undefined)
    })

    engineTest('another process reads what was saved, to the letter', async (world, open) => {
      const policy = policyOf(`${policyText('testing')}x: é\r\n\n`)
      for (const refreshAt of [world.now + DAY, undefined]) {
        const saved = entry(world, { policy, refreshAt, id: 'a'.repeat(32), failures: 3 })
        await value(open().save(saved))
        assert.deepEqual(await value(open().read(DOMAIN)), saved)
      }
    })

    engineTest('what anyone saves or drops is noticed, and what nobody changes is not', async (world, open) => {
      const [one, other] = [open(), open()]
      await value(one.save(entry(world)))
      const before = await value(other.generation())
      assert.equal(await value(other.generation()), before)
      await value(one.save(entry(world, { id: '2' })))
      const after = await value(other.generation())
      assert.notEqual(after, before)
      await value(one.dropPolicy(DOMAIN))
      assert.notEqual(await value(other.generation()), after)
    })

    engineTest('a policy that is saved ends the memory of failed fetches', async (world, open) => {
      const cache = open()
      const failed = { id: '1', at: world.now, failure: { ...UNREACHABLE, text: 'several\nlines of it' } }
      await value(cache.noteFailedFetch(DOMAIN, failed))
      assert.deepEqual(await value(open().failedFetch(DOMAIN, '1')), failed)
      assert.equal(await value(cache.failedFetch(DOMAIN, '2')), undefined)
      await value(cache.noteFailedFetch(DOMAIN, { ...failed, id: '', at: world.now + 1 }))
      assert.equal((await value(cache.lastFailure(DOMAIN)))?.id, '')
      await value(cache.save(entry(world)))
      assert.equal(await value(cache.failedFetch(DOMAIN, '1')), undefined)
      assert.equal(await value(cache.lastFailure(DOMAIN)), undefined)
    })

    engineTest(
      'T19: due is what was to be refreshed, is in use and not expired; or was planned too far ahead',
      async (world, open) => {
        const cache = open()
        const planned = (domain: string, change: Partial<CachedPolicy>) =>
          cache.save(entry(world, { domain, ...change }))
        const { now } = world
        await planned('second.test', { refreshAt: now })
        await planned('first.test', { refreshAt: now - MINUTE })
        await planned('later.test', { refreshAt: now + MINUTE })
        await planned('never.test', { refreshAt: undefined })
        await planned('unused.test', { refreshAt: now - DAY, usedAt: now - 40 * DAY })
        await planned('expired.test', { refreshAt: now - DAY, fetchedAt: now - 8 * DAY })
        await planned('far.test', { refreshAt: now + 3 * DAY })
        const query = { now, usedSince: now - 30 * DAY, horizon: now + DAY, limit: 10 }
        assert.deepEqual((await value(cache.due(query))).toSorted(), ['far.test', 'first.test', 'second.test'])
        assert.deepEqual(await value(open().due({ ...query, limit: 1 })), ['first.test'])

        await value(cache.noteUses(['unused.test'], now))
        assert.ok((await value(cache.due(query))).includes('unused.test'))
        await planned('expired.test', { refreshAt: now - 1 })
        assert.ok((await value(cache.due(query))).includes('expired.test'))
      },
    )

    engineTest('a refresh that failed is counted, and planned anew', async (world, open) => {
      const cache = open()
      await value(cache.save(entry(world, { refreshAt: world.now })))
      assert.equal(await value(cache.noteFailedRefresh(DOMAIN, world.now + MINUTE)), 1)
      assert.equal(await value(open().noteFailedRefresh(DOMAIN, world.now + 2 * MINUTE)), 2)
      const read = await value(cache.read(DOMAIN))
      assert.deepEqual([read?.failures, read?.refreshAt], [2, world.now + 2 * MINUTE])
      const query = { now: world.now + MINUTE, usedSince: 0, horizon: world.now + DAY, limit: 10 }
      assert.deepEqual(await value(cache.due(query)), [])
      assert.deepEqual(await value(cache.due({ ...query, now: world.now + 2 * MINUTE })), [DOMAIN])
    })

    engineTest(
      'a use is written only for policies that are there, and a refresh does not take it back',
      async (world, open) => {
        const cache = open()
        await value(cache.save(entry(world)))
        const others = Array.from({ length: 1200 }, (_, index) => `d${index}.test`)
        await value(cache.noteUses([...others, DOMAIN], world.now + DAY))
        assert.equal((await value(cache.read(DOMAIN)))?.usedAt, world.now + DAY)
        assert.equal(await value(cache.read('d7.test')), undefined)
        await value(cache.save(entry(world, { id: '2' })))
        assert.equal((await value(cache.read(DOMAIN)))?.usedAt, world.now + DAY)
      },
    )

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

    engineTest(
      'one process at a time has a domain to fetch, until it releases it or its time is over',
      async (_world, open) => {
        const [a, b] = [open(), open()]
        assert.equal(await value(a.claim(DOMAIN, 'a', MINUTE)), true)
        assert.equal(await value(b.claim(DOMAIN, 'b', MINUTE)), false)
        await value(b.release(DOMAIN, 'b'))
        assert.equal(await value(b.claim(DOMAIN, 'b', MINUTE)), false)
        await value(a.release(DOMAIN, 'a'))
        assert.equal(await value(b.claim(DOMAIN, 'b', 50)), true)
        await sleep(60)
        assert.equal(await value(a.claim(DOMAIN, 'a', MINUTE)), true)
      },
    )

    engineTest('a claim is renewed by its owner, while it is held', async (_world, open) => {
      const [a, b] = [open(), open()]
      await value(a.claim(DOMAIN, 'a', 50))
      await value(b.renewClaim(DOMAIN, 'b', MINUTE))
      await sleep(60)
      assert.equal(await value(b.claim(DOMAIN, 'b', 50)), true)
      await value(b.renewClaim(DOMAIN, 'b', MINUTE))
      await sleep(60)
      assert.equal(await value(a.claim(DOMAIN, 'a', MINUTE)), false)
      await value(b.release(DOMAIN, 'b'))
      await value(b.renewClaim(DOMAIN, 'b', MINUTE))
      assert.equal(await value(a.claim(DOMAIN, 'a', MINUTE)), true)
    })

    engineTest('a claim from the future does not count: the clock was set back', async (_world, open, change) => {
      const cache = open()
      await value(cache.claim(DOMAIN, 'a', MINUTE))
      await change(`UPDATE sts_claim SET claimed_until = claimed_until + ${DAY}`)
      assert.equal(await value(cache.claim(DOMAIN, 'b', MINUTE)), true)
    })

    engineTest('of processes that claim a domain at once one has it', async (_world, open) => {
      const claimed = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => value(open().claim(DOMAIN, owner, MINUTE))))
      assert.equal(claimed.filter(Boolean).length, 1)
    })

    engineTest('a store that is begun anew has no generation of the one before', async (world, open, change) => {
      const cache = open()
      await value(cache.save(entry(world)))
      const before = await value(cache.generation())
      await change('DELETE FROM sts_change')
      await sleep(2)
      await value(cache.save(entry(world)))
      assert.notEqual(await value(cache.generation()), before)
    })

    engineTest(
      'the command sees all policies in the order of their names, and what failed last',
      async (world, open) => {
        const cache = open()
        await value(cache.save(entry(world)))
        await value(cache.save(entry(world, { domain: 'a.test' })))
        await value(cache.noteFailedFetch(DOMAIN, { id: '2', at: world.now, failure: UNREACHABLE }))
        assert.deepEqual(await value(open().listPolicies()), [
          { ...entry(world, { domain: 'a.test' }), expiresAt: world.now + 7 * DAY, lastFailure: undefined },
          {
            ...entry(world),
            expiresAt: world.now + 7 * DAY,
            lastFailure: { id: '2', at: world.now, failure: UNREACHABLE },
          },
        ])
        assert.equal((await value(cache.listPolicies('a.test'))).length, 1)
        assert.equal((await value(cache.listPolicies('b.test'))).length, 0)
      },
    )

    engineTest('all policies are also there piece by piece, each of them once', async (world, open) => {
      const cache = open()
      for (const name of ['c', 'a', 'd', 'b', 'e']) await value(cache.save(entry(world, { domain: `${name}.test` })))
      const all = await value(cache.listPolicies())
      assert.deepEqual(await value(open().policiesBehind('', 3)), all.slice(0, 3))
      assert.deepEqual(await value(open().policiesBehind('c.test', 3)), all.slice(3))
      assert.deepEqual(await value(open().policiesBehind('e.test', 3)), [])
    })

    engineTest('those in force are counted by mode, and those that could not be refreshed', async (world, open) => {
      const cache = open()
      const counts = async () => {
        const { modes, failing } = await value(open().census(world.now))
        return [modes.enforce, modes.testing, modes.none, failing]
      }
      assert.deepEqual(await counts(), [0, 0, 0, 0])
      const save = (domain: string, mode: StsMode, change: Partial<CachedPolicy> = {}) =>
        value(cache.save(entry(world, { domain, policy: policyOf(policyText(mode)), ...change })))
      await save('a.test', 'enforce')
      await save('b.test', 'enforce')
      await save('c.test', 'testing')
      await save('d.test', 'none', { failures: 1 })
      await save('expired.test', 'none', { fetchedAt: world.now - 400 * DAY })
      await value(cache.noteFailedRefresh('b.test', world.now))
      await value(cache.noteFailedRefresh('expired.test', world.now))
      assert.deepEqual(await counts(), [2, 1, 1, 2])

      await save('b.test', 'testing')
      await value(cache.dropPolicy('d.test'))
      assert.deepEqual(await counts(), [1, 2, 0, 0])
    })

    engineTest('dropping tells whether there was one', async (world, open) => {
      const cache = open()
      await value(cache.save(entry(world)))
      assert.equal(await value(cache.dropPolicy(DOMAIN)), true)
      assert.equal(await value(cache.dropPolicy(DOMAIN)), false)
      assert.equal(await value(cache.read(DOMAIN)), undefined)
      assert.deepEqual(await value(cache.listPolicies()), [])
    })

    engineTest('a request is handed to one worker only', async (_world, open) => {
      const [one, other] = [open(), open()]
      await value(one.requestRefetch(DOMAIN))
      await value(one.requestRefetch(DOMAIN))
      assert.equal(await value(other.isRequested(DOMAIN)), true)
      assert.deepEqual(await value(other.takeRequests()), [DOMAIN])
      assert.deepEqual(await value(one.takeRequests()), [])
      assert.equal(await value(one.isRequested(DOMAIN)), false)
    })

    engineTest('what another process fetches or drops is followed within a second', async (world, open) => {
      const [one, other] = [world.worker(), world.worker()]
      await one.policyFor(DOMAIN)
      world.policy = policyText('testing')
      await value(open().dropPolicy(DOMAIN))
      world.clock += 1000
      assert.equal((await other.policyFor(DOMAIN)).source, 'fetched')
      world.clock += 1000
      assert.equal((await one.policyFor(DOMAIN)).policy?.mode, 'testing')
      assert.equal(world.fetches.length, 2)
    })

    engineTest('several workers that need one policy at once fetch it once', async (world) => {
      world.fetchTakes = 150
      const workers = Array.from({ length: 4 }, () => world.worker({ clock: () => performance.now(), timeout: 30_000 }))
      const found = await Promise.all(workers.map((worker) => worker.policyFor(DOMAIN)))
      assert.ok(found.every(({ policy }) => policy?.mode === 'enforce'))
      assert.equal(world.fetches.length, 1)
    })

    engineTest('after it is closed nothing can be done, and that is said', async (world, open) => {
      const cache = open()
      cache.close()
      assert.equal((await cache.save(entry(world))).ok, false)
      assert.equal((await cache.read(DOMAIN)).ok, false)
    })
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
