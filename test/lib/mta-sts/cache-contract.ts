/**
 * What every cache of policies must do, whatever the engine.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedPolicy, StsCache, StsMode } from '../../../dist/lib/mta-sts/index.js'
import type { Done } from '../../../dist/lib/store/index.js'
import { createWorld, DAY, DOMAIN, MINUTE, policyOf, policyText, UNREACHABLE, type World } from './world.ts'

/** Opens a cache that has nothing in it yet. What it returns opens it, as often as there are processes. */
export type OpenEngine = (t: TestContext) => Promise<(world: World) => StsCache>

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

/** Tests one engine. */
export function describeCache(name: string, openEngine: OpenEngine): void {
  const engineTest = (what: string, run: (world: World, open: () => StsCache) => Promise<void>): void => {
    test(what, async (t) => {
      const world = createWorld(t, await openEngine(t))
      await run(world, world.cache)
    })
  }

  describe(`policies in ${name}`, () => {
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

        await value(cache.noteUses(new Map([['unused.test', now]])))
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
        const others = Array.from({ length: 1200 }, (_, index) => [`d${index}.test`, world.now] as const)
        await value(cache.noteUses(new Map([...others, [DOMAIN, world.now + DAY]])))
        assert.equal((await value(cache.read(DOMAIN)))?.usedAt, world.now + DAY)
        assert.equal(await value(cache.read('d7.test')), undefined)
        await value(cache.save(entry(world, { id: '2' })))
        assert.equal((await value(cache.read(DOMAIN)))?.usedAt, world.now + DAY)
      },
    )

    engineTest('what expired long ago goes, what did not stays', async (world, open) => {
      const cache = open()
      await value(cache.save(entry(world)))
      for (let index = 0; index < 1100; index++)
        await value(cache.save(entry(world, { domain: `old${index}.test`, fetchedAt: world.now - 30 * DAY })))
      await value(cache.requestRefetch('old0.test', world.now - 8 * DAY))
      await value(cache.removeOld(world.now - 7 * DAY))
      assert.deepEqual(
        (await value(cache.listPolicies())).map(({ domain }) => domain),
        [DOMAIN],
      )
      assert.deepEqual(await value(cache.takeRequests()), [])
    })

    engineTest(
      'one process at a time has a domain to fetch, until it releases it or its time is over',
      async (world, open) => {
        const [a, b] = [open(), open()]
        const { now } = world
        assert.equal(await value(a.claim(DOMAIN, 'a', now, now + MINUTE)), true)
        assert.equal(await value(b.claim(DOMAIN, 'b', now, now + MINUTE)), false)
        await value(b.release(DOMAIN, 'b'))
        assert.equal(await value(b.claim(DOMAIN, 'b', now, now + MINUTE)), false)
        await value(a.release(DOMAIN, 'a'))
        assert.equal(await value(b.claim(DOMAIN, 'b', now, now + 50)), true)
        await sleep(60) // a server counts by its own clock
        assert.equal(await value(a.claim(DOMAIN, 'a', now + 60, now + 60 + MINUTE)), true)
      },
    )

    engineTest('a claim is renewed by its owner, while it is held', async (world, open) => {
      const [a, b] = [open(), open()]
      const { now } = world
      await value(a.claim(DOMAIN, 'a', now, now + 50))
      await value(b.renewClaim(DOMAIN, 'b', now, now + MINUTE))
      await sleep(60)
      assert.equal(await value(b.claim(DOMAIN, 'b', now + 60, now + 110)), true)
      await value(b.renewClaim(DOMAIN, 'b', now + 60, now + MINUTE))
      await sleep(60)
      assert.equal(await value(a.claim(DOMAIN, 'a', now + 120, now + MINUTE)), false)
      await value(b.release(DOMAIN, 'b'))
      await value(b.renewClaim(DOMAIN, 'b', now + 120, now + MINUTE))
      assert.equal(await value(a.claim(DOMAIN, 'a', now + 120, now + MINUTE)), true)
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

    engineTest('a request is handed to one worker only', async (world, open) => {
      const [one, other] = [open(), open()]
      await value(one.requestRefetch(DOMAIN, world.now))
      await value(one.requestRefetch(DOMAIN, world.now + 1))
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
