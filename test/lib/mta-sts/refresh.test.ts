import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedPolicy } from '../../../dist/lib/mta-sts/index.js'
import { createWorld, DAY, DOMAIN, HOUR, MINUTE, policyText, UNREACHABLE, type World } from './world.ts'

async function cached(world: World, domain = DOMAIN): Promise<CachedPolicy | undefined> {
  const cache = world.cache()
  const done = await cache.read(domain)
  assert.ok(done.ok)
  return done.value
}

/** What was logged at a level. */
function logged(world: World, level: string): string[] {
  return world.log.filter((line) => line.startsWith(`${level} `))
}

describe('T19: in the background', () => {
  test('a policy is fetched again about a day later, though nothing has changed', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.pass(20 * HOUR)
    await worker.refreshDue()
    assert.equal(world.fetches.length, 1)
    world.pass(2 * HOUR)
    await worker.refreshDue()
    assert.equal(world.fetches.length, 2)
    assert.equal((await cached(world))?.fetchedAt, world.now)
    world.pass(HOUR)
    await worker.refreshDue()
    assert.equal(world.fetches.length, 2)
  })

  test('not all policies at the same time', async (t) => {
    const world = createWorld(t)
    const early = world.worker({ random: () => 1 })
    const late = world.worker({ random: () => 0 })
    await early.policyFor('early.test')
    await late.policyFor('late.test')
    world.pass(18 * HOUR)
    await late.refreshDue()
    assert.deepEqual(world.fetches.slice(2), ['early.test'])
  })

  test('a short-lived policy is fetched again before it expires', async (t) => {
    const world = createWorld(t)
    world.policy = policyText('enforce', (2 * HOUR) / 1000)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    for (let minutes = 0; minutes < 600; minutes += 5) {
      world.pass(5 * MINUTE)
      await worker.refreshDue()
    }
    world.records = 'SERVFAIL'
    assert.equal((await worker.policyFor(DOMAIN)).status, 'policy')
    assert.ok(world.fetches.length < 15, `${world.fetches.length} fetches`)
  })

  test('one that lives for minutes is left to deliveries', async (t) => {
    const world = createWorld(t)
    world.policy = policyText('enforce', 600)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.pass(9 * MINUTE)
    await worker.refreshDue()
    assert.equal(world.fetches.length, 1)
  })

  test('a policy is fetched whatever became of the record', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = []
    world.pass(DAY)
    await worker.refreshDue()
    assert.equal((await cached(world))?.fetchedAt, world.now)
    assert.equal((await cached(world))?.id, '1')
  })

  test('a new policy is taken along with its id', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.records = ['v=STSv1; id=2']
    world.policy = policyText('testing')
    world.pass(DAY)
    await worker.refreshDue()
    assert.deepEqual([(await cached(world))?.id, (await cached(world))?.policy.mode], ['2', 'testing'])
    await worker.policyFor(DOMAIN)
    assert.equal(world.fetches.length, 2)
  })

  test('only policies of domains that had mail within 30 days', async (t) => {
    const world = createWorld(t)
    world.policy = policyText('enforce', 31_557_600)
    const worker = world.worker()
    await worker.policyFor('busy.test')
    await worker.policyFor('quiet.test')
    for (let day = 0; day < 40; day++) {
      world.pass(DAY)
      await worker.refreshDue()
      await worker.policyFor('busy.test')
      if (day % 10 === 0) await restart(world)
    }
    const last = world.fetches.lastIndexOf('quiet.test')
    const fetchesOf = (domain: string): number => world.fetches.filter((fetched) => fetched === domain).length
    assert.ok(fetchesOf('quiet.test') >= 29 && fetchesOf('quiet.test') <= 32, String(fetchesOf('quiet.test')))
    assert.ok(fetchesOf('busy.test') > fetchesOf('quiet.test'))
    assert.ok(last < world.fetches.length - 5)

    /** What is noted in memory is written down when a worker ends. */
    async function restart({ worker: start }: World): Promise<void> {
      const short = start()
      await short.policyFor('busy.test')
      await short.close()
    }
  })

  test('no more than four at once', async (t) => {
    const world = createWorld(t)
    let atOnce = 0
    let most = 0
    const worker = world.worker()
    const domains = Array.from({ length: 20 }, (_, index) => `d${index}.test`)
    for (const domain of domains) await worker.policyFor(domain)
    world.pass(DAY)
    const counting = world.worker({
      fetch: async () => {
        most = Math.max(most, ++atOnce)
        await sleep(5)
        atOnce--
        return { ok: false, failure: UNREACHABLE }
      },
    })
    await counting.refreshDue()
    assert.equal(most, 4)
    assert.equal(world.reported.length, 20)
  })

  test('two workers do not fetch the same policy', async (t) => {
    const world = createWorld(t)
    const workers = [world.worker(), world.worker()]
    for (let index = 0; index < 10; index++) await workers[0]?.policyFor(`d${index}.test`)
    world.pass(DAY)
    world.fetchTakes = 20
    await Promise.all(workers.map((worker) => worker.refreshDue()))
    assert.equal(world.fetches.length, 20)
  })

  test('what was planned before the clock was set back is not waited for', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.now -= 400 * DAY
    await worker.refreshDue()
    assert.equal((await cached(world))?.fetchedAt, world.now)
  })
})

describe('T19: a refresh that fails', () => {
  test('is tried again, ever less often, and never takes the policy away', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    for (let minutes = 0; minutes < 6 * 24 * 60; minutes += 5) {
      world.pass(5 * MINUTE)
      await worker.refreshDue()
    }
    const evidence = await worker.policyFor(DOMAIN)
    assert.deepEqual([evidence.policy?.mode, evidence.source], ['enforce', 'cached'])
    assert.ok(world.fetches.length > 15 && world.fetches.length < 50, `${world.fetches.length} fetches`)
  })

  test('is logged from the second time on at WARN, long before the policy expires', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.pass(DAY)
    await worker.refreshDue()
    assert.deepEqual(logged(world, 'warn'), [])
    world.pass(HOUR)
    await worker.refreshDue()
    assert.deepEqual(logged(world, 'warn'), [
      'warn MTA-STS policy of example.test could not be refreshed 2 times in a row, ' +
        'it expires 2026-06-08T00:00:00Z: ECONNREFUSED',
    ])
  })

  test('T28: is handed out to be reported, once for each fetch', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.pass(DAY)
    await worker.refreshDue()
    await worker.refreshDue()
    assert.deepEqual(world.reported, [{ ...UNREACHABLE, id: '1' }])
  })

  test('T19, T28: of a policy of mode none is neither logged nor reported', async (t) => {
    const world = createWorld(t)
    world.policy = policyText('none')
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    for (let hours = 0; hours < 48; hours++) {
      world.pass(HOUR)
      await worker.refreshDue()
    }
    assert.ok(world.fetches.length > 3)
    assert.deepEqual(
      world.log.filter((line) => !line.startsWith('debug ')),
      [],
    )
    assert.deepEqual(world.reported, [])
  })

  test('is forgotten when the next one succeeds', async (t) => {
    const world = createWorld(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    world.policy = UNREACHABLE
    world.pass(DAY)
    await worker.refreshDue()
    world.policy = policyText('enforce')
    world.pass(HOUR)
    await worker.refreshDue()
    assert.equal((await cached(world))?.failures, 0)
    const listed = await world.cache().listPolicies(DOMAIN)
    assert.equal(listed.ok && listed.value[0]?.lastFailure, undefined)
  })
})

describe('a running worker', () => {
  test('follows a request of the command within seconds, in spite of a failure just now', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const worker = world.worker()
    worker.start()
    await worker.policyFor(DOMAIN)
    world.policy = policyText('testing')
    await world.cache().requestRefetch(DOMAIN)
    await sleep(2500)
    assert.equal((await cached(world))?.policy.mode, 'testing')
    world.clock += 1000
    assert.equal((await worker.policyFor(DOMAIN)).source, 'cached')
    assert.match(logged(world, 'notice').join(), /example.test was to be fetched: fetched/)
  })
  test('T28: a fetch that the command asked for and that failed is reported, once', async (t) => {
    const world = createWorld(t)
    world.policy = UNREACHABLE
    const worker = world.worker()
    worker.start()
    await world.cache().requestRefetch(DOMAIN)
    await sleep(2500)
    assert.deepEqual(
      world.reported.map(({ type }) => type),
      ['sts-policy-fetch-error'],
    )
  })
  test('follows a request also while policy hosts keep it waiting', async (t) => {
    const world = createWorld(t)
    const worker = world.worker({ timeout: 60_000 })
    await worker.policyFor(DOMAIN)
    worker.start()
    world.pass(2 * DAY)
    world.fetchTakes = 60_000
    await sleep(2500)
    assert.deepEqual(world.fetches, [DOMAIN, DOMAIN]) // the second one hangs
    world.fetchTakes = 1
    await world.cache().requestRefetch('other.test')
    await sleep(2500)
    assert.deepEqual(world.fetches.slice(2), ['other.test'])
  })
  test('tells where there is nothing to fetch', async (t) => {
    const world = createWorld(t)
    world.records = []
    const worker = world.worker()
    worker.start()
    await world.cache().requestRefetch(DOMAIN)
    await sleep(2500)
    const failure = await world.cache().lastFailure(DOMAIN)
    assert.ok(failure.ok)
    assert.match(failure.value?.failure.text ?? '', /no STS record/)
    assert.deepEqual(world.fetches, [])
  })
})
