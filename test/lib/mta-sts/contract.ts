/**
 * What the cache of policies must do on each engine.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedPolicy, StsMode } from '../../../dist/lib/mta-sts/index.js'
import type { TestEngine } from '../../support/store.ts'
import { testsOn } from './engine-test.ts'
import { DAY, DOMAIN, entry, MINUTE, policyOf, policyText, UNREACHABLE, value } from './world.ts'

/** @param engine - each test has a store of its own on it, and as many openings of it as it asks for, as other processes would have them */
export function cacheContract(engine: TestEngine): void {
  const engineTest = testsOn(engine)
  describe(`policies in ${engine.name}`, { skip: engine.skip }, () => {
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
