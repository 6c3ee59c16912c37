import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StsEvidence } from '../../../dist/lib/mta-sts/index.js'
import { createWorld, DAY, DOMAIN, HOUR, MINUTE, policyText, UNREACHABLE } from './world.ts'

function summary({ status, source, why, policy }: StsEvidence): string {
  return [status, policy?.mode, source, why].filter((part) => part !== undefined).join(' ')
}

describe('the policy of a domain', () => {
  test('is fetched, with all that is to be known of it', async (t) => {
    const world = createWorld(t)
    const evidence = await world.worker().policyFor(DOMAIN)
    assert.equal(summary(evidence), 'policy enforce fetched')
    assert.equal(evidence.policy?.text, policyText('enforce'))
    assert.deepEqual(evidence.fetchedAt, new Date(world.now))
    assert.deepEqual(evidence.expiresAt, new Date(world.now + 7 * DAY))
    assert.deepEqual(world.lookups, ['TXT _mta-sts.example.test'])
  })

  test('T12: is cached, so that the next delivery fetches nothing', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.pass(6 * DAY)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached')
    assert.equal(world.fetches.length, 1)
  })

  test('T12: ends with its max_age, counted from the fetch', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.pass(7 * DAY - 1)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached')
    world.pass(1)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'none fetch-failed')
  })

  test('T11: a max_age of 0 is for the deliveries that wait, and not cached', async (t) => {
    const world = createWorld(t)
    world.policy = policyText('enforce', 0)
    const worker = world.worker()
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce fetched')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce fetched')
    world.policy = UNREACHABLE
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'none fetch-failed')
  })

  const without: [why: string, records: readonly string[] | string, result: string][] = [
    ['no record', [], 'no-record'],
    ['records of others only', ['v=spf1'], 'no-record'],
    ['two records', ['v=STSv1; id=1', 'v=STSv1; id=2'], 'several-records'],
    ['a malformed record', ['v=STSv1; id=-'], 'malformed-record'],
    ['a lookup that fails', 'SERVFAIL', 'lookup-failed'],
  ]
  for (const [why, records, result] of without) {
    test(`T4: ${why} means none, and nothing is fetched`, async (t) => {
      const world = createWorld(t)
      world.records = records
      assert.equal(summary(await world.worker().policyFor(DOMAIN)), `none ${result}`)
      assert.deepEqual(world.fetches, [])
    })
    test(`T4, T18: ${why} does not touch a cached policy`, async (t) => {
      const world = createWorld(t)
      const worker = world.worker()
      await worker.policyFor(DOMAIN)
      world.records = records
      world.pass(3 * HOUR)
      assert.equal(summary(await worker.policyFor(DOMAIN)), `policy enforce cached-after-failure ${result}`)
    })
  }

  test('T22: an address has none, and is not looked up', async (t) => {
    const world = createWorld(t)
    assert.equal(summary(await world.worker().policyFor('[192.0.2.1]')), 'none no-record')
    assert.deepEqual(world.lookups, [])
  })

  test('T17: one that cannot be fetched is as good as none, and the failure is there to be reported', async (t) => {
    const world = createWorld(t)
    world.policy = { type: 'sts-webpki-invalid', text: 'expired' }
    const evidence = await world.worker().policyFor(DOMAIN)
    assert.equal(summary(evidence), 'none fetch-failed')
    assert.deepEqual(evidence.fetchFailure, { type: 'sts-webpki-invalid', text: 'expired', id: '1' })
  })
})

describe('T15: after a fetch that failed', () => {
  test('there is none for five minutes, and nothing to report', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.pass(5 * MINUTE - 1)
    const evidence = await worker.policyFor(DOMAIN)
    assert.equal(summary(evidence), 'none backed-off')
    assert.equal(evidence.fetchFailure, undefined)
    world.pass(1)
    world.policy = policyText('testing')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy testing fetched')
    assert.equal(world.fetches.length, 2)
  })
  test('other workers back off too, and the same after a restart', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    await world.worker().policyFor(DOMAIN)
    assert.equal(summary(await world.worker().policyFor(DOMAIN)), 'none backed-off')
  })
  test('a new id is worth a new fetch after a minute', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('enforce')
    world.pass(MINUTE - 1)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'none backed-off')
    world.pass(1)
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce fetched')
  })
  test('a clock that is set back does not make it longer', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    await world.worker().policyFor(DOMAIN)
    world.now -= DAY
    world.clock += 5 * MINUTE
    world.policy = policyText('enforce')
    assert.equal(summary(await world.worker().policyFor(DOMAIN)), 'policy enforce fetched')
  })
})

describe('a new id', () => {
  test('has the new policy fetched and applied', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('none')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy none fetched')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy none cached')
  })
  test('T18: with a policy that cannot be fetched leaves the old one in force', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = { type: 'sts-policy-invalid', text: 'line 1' }
    const evidence = await worker.policyFor(DOMAIN)
    assert.equal(summary(evidence), 'policy enforce cached-after-failure fetch-failed')
    assert.equal(evidence.fetchFailure?.id, '2')
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached-after-failure backed-off')
  })
  test('that only our resolver does not know of yet is no reason to fetch the policy again', async (t) => {
    const world = createWorld(t)
    await world.worker().policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('testing')
    await world.worker().policyFor(DOMAIN)
    world.remembered = ['v=STSv1; id=1']
    assert.equal(summary(await world.worker().policyFor(DOMAIN)), 'policy testing cached')
    assert.equal(world.fetches.length, 2)
  })
})

describe('clocks', () => {
  test('a clock that is set back keeps a policy, and not for longer than max_age from now', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.now -= 400 * DAY
    const evidence = await worker.policyFor(DOMAIN)
    assert.equal(summary(evidence), 'policy enforce cached')
    assert.deepEqual(evidence.expiresAt, new Date(world.now + 7 * DAY))
  })
  test('a clock that jumps ahead for a while loses nothing', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.now += 400 * DAY
    await worker.policyFor(DOMAIN)
    world.now -= 400 * DAY
    assert.equal(summary(await worker.policyFor(DOMAIN)), 'policy enforce cached')
  })
})

describe('many at once', () => {
  test('1,000 deliveries to one new domain cost one lookup and one fetch', async (t) => {
    const world = createWorld(t)
    world.fetchTakes = 20
    const worker = world.worker()
    const all = await Promise.all(Array.from({ length: 1000 }, () => worker.policyFor(DOMAIN)))
    assert.deepEqual(new Set(all.map(summary)), new Set(['policy enforce fetched']))
    assert.deepEqual([world.lookups.length, world.fetches.length], [1, 1])
  })
  test('one of them reports that the fetch failed', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const worker = world.worker()
    const all = await Promise.all(Array.from({ length: 1000 }, () => worker.policyFor(DOMAIN)))
    assert.deepEqual(new Set(all.map(summary)), new Set(['none fetch-failed']))
    assert.equal(all.filter(({ fetchFailure }) => fetchFailure).length, 1)
  })
  test('four workers share one fetch, and one of them reports its failure', async (t) => {
    for (const policy of [policyText('enforce'), UNREACHABLE]) {
      const world = createWorld(t)
      world.policy = policy
      world.fetchTakes = 250
      const caches = Array.from({ length: 4 }, () => world.cache())
      for (const cache of caches) await cache.generation() // none of them begins behind the others
      const workers = caches.map((cache) => world.worker({ cache }))
      const all = await Promise.all(workers.map((worker) => worker.policyFor(DOMAIN)))
      const expected = typeof policy === 'string' ? 'policy enforce fetched' : 'none fetch-failed'
      assert.deepEqual(new Set(all.map(summary)), new Set([expected]))
      assert.equal(world.fetches.length, 1)
      assert.equal(all.filter(({ fetchFailure }) => fetchFailure).length, typeof policy === 'string' ? 0 : 1)
    }
  })
  test('a worker that died in the middle holds nobody for ever', async (t) => {
    const world = createWorld(t)
    await world.cache().claim(DOMAIN, 'dead', 300)
    const evidence = await world.worker({ timeout: 10_000 }).policyFor(DOMAIN)
    assert.equal(summary(evidence), 'policy enforce fetched')
  })
  test('nobody waits longer than the time limit for another worker', async (t) => {
    const world = createWorld(t)
    await world.cache().claim(DOMAIN, 'slow', 6000)
    const worker = world.worker({ clock: () => performance.now(), timeout: 300 })
    const evidence = await worker.policyFor(DOMAIN) // it would be fetched if the claim had ended
    assert.equal(summary(evidence), 'none fetch-failed')
    assert.equal(evidence.fetchFailure, undefined)
  })
  test('a slow policy host does not hold other domains', async (t) => {
    const world = createWorld(t)
    world.fetchTakes = 3000
    const worker = world.worker()
    let isSlowDone = false
    const slow = worker.policyFor('slow.test').finally(() => (isSlowDone = true))
    while (world.fetches.length === 0) await sleep(5)
    world.fetchTakes = 1
    await worker.policyFor(DOMAIN)
    assert.equal(isSlowDone, false)
    await slow
  })
})

test('close ends a fetch that is under way, and does not count it as failed', async (t) => {
  const world = createWorld(t)
  world.fetchTakes = 60_000
  const worker = world.worker({ timeout: 60_000 })
  const evidence = worker.policyFor(DOMAIN)
  while (world.fetches.length === 0) await sleep(5)
  await worker.close()
  assert.equal((await evidence).fetchFailure, undefined)
  world.fetchTakes = 1
  assert.equal(summary(await world.worker().policyFor(DOMAIN)), 'policy enforce fetched')
})
