/**
 * The cache of MTA-STS policies on a real Redis: what every cache must do, and what becomes of deliveries where the server does not.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisCache, type StsCache } from '../../dist/lib/mta-sts/index.js'
import { openRedis } from '../../dist/lib/store/index.js'
import { describeCache } from '../lib/mta-sts/cache-contract.ts'
import { createWorld, DOMAIN, policyText, UNREACHABLE, type World } from '../lib/mta-sts/world.ts'
import { startRedis, startRedisFor, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

describe('on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.stop())

  describeCache('Redis', async () => {
    await redis.send('FLUSHALL')
    return () => createRedisCache(redis.open())
  })

  test('whatever is not removed expires by itself', async () => {
    await redis.send('FLUSHALL')
    const cache = createRedisCache(redis.open())
    const read = { fetchedAt: Date.now(), usedAt: Date.now(), refreshAt: undefined, failures: 0 }
    const policy = { version: 'STSv1', mode: 'enforce', mx: ['mx.test'], maxAge: 86_400, text: policyText('enforce') }
    await cache.save({ domain: DOMAIN, id: '1', policy: { ...policy, notes: [] } as never, ...read })
    await cache.noteFailedFetch('other.test', { id: '1', at: Date.now(), failure: UNREACHABLE })
    await cache.claim(DOMAIN, 'a', Date.now(), Date.now() + 5000)
    for (const [key, days] of [
      ['policy:example.test', 9],
      ['failed:other.test', 7],
      ['claim:example.test', 0.01],
    ] as const) {
      const left = Number(await redis.send('PTTL', `outbound-tls:sts:${key}`))
      assert.ok(left > 0 && left <= days * 86_400_000, `${key}: ${left}`)
    }
  })

  test('an account with the rights that docs/redis.md gives it is enough', async (t) => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/redis.md'), 'utf8')
    const [line = ''] = /^ACL SETUSER haraka .*$/m.exec(page) ?? []
    await redis.send(...line.split(' '))
    const log: string[] = []
    const open = () =>
      openRedis({
        endpoint: () => Promise.resolve({ ...redis.endpoint, username: 'haraka', password: 'password', database: 1 }),
        purpose: 'x',
        log: (level, text) => log.push(`${level} ${text}`),
      })
    const world = createWorld(t, () => createRedisCache(open()))
    const worker = world.worker()
    assert.equal((await worker.policyFor(DOMAIN)).source, 'fetched')
    await worker.refreshDue()
    const cache = world.cache()
    await cache.noteUses(new Map([[DOMAIN, world.now]]))
    await cache.requestRefetch(DOMAIN, world.now)
    assert.deepEqual(await cache.takeRequests(), { ok: true, value: [DOMAIN] })
    await cache.removeOld(world.now)
    assert.deepEqual(await cache.dropPolicy(DOMAIN), { ok: true, value: true })
    assert.deepEqual(log, [])
  })

  test('of failed fetches the latest ten ids are remembered: others choose them', async () => {
    const cache = createRedisCache(redis.open())
    const at = (id: number) => ({ id: `id${id}`, at: 1_000_000 - id, failure: UNREACHABLE })
    for (let id = 0; id < 50; id++) await cache.noteFailedFetch('many.test', at(id))
    assert.equal(await redis.send('HLEN', 'outbound-tls:sts:failed:many.test'), 10)
    assert.deepEqual(await cache.failedFetch('many.test', 'id49'), { ok: true, value: at(49) })
  })
})

describe('where Redis fails', { skip: skipWithout('redis-server') }, () => {
  interface Ground {
    readonly redis: RedisServer
    readonly world: World
  }

  async function failing(t: TestContext, options = {}): Promise<Ground> {
    const redis = await startRedisFor(t, options)
    const open = (world: World): StsCache =>
      createRedisCache(redis.open({ log: world.log, limit: 300, clock: () => world.clock }))
    return { redis, world: createWorld(t, open) }
  }

  /** It is tried again, and whoever asks next finds it back. */
  async function isBack({ redis, world }: Ground): Promise<void> {
    const cache = world.cache()
    for (let tries = 0; tries < 200; tries++) {
      world.clock += 10_000
      if ((await cache.read(DOMAIN)).ok) return redis.resume()
      await sleep(20)
    }
    assert.fail(world.log.join('\n'))
  }

  for (const [how, ends, returns] of [
    ['hangs', (redis: RedisServer) => redis.pause(), (redis: RedisServer) => redis.resume()],
    ['is killed', (redis: RedisServer) => redis.kill(), (redis: RedisServer) => redis.start()],
  ] as const) {
    test(`a Redis that ${how}: known policies apply, unknown ones are looked up live, and nobody waits for it twice`, async (t) => {
      const { redis, world } = await failing(t)
      const worker = world.worker()
      await worker.policyFor(DOMAIN)
      await ends(redis)
      world.clock += 2000

      const began = performance.now()
      assert.equal((await worker.policyFor(DOMAIN)).source, 'cached')
      assert.equal((await worker.policyFor('new.test')).source, 'fetched')
      for (let count = 0; count < 100; count++) await worker.policyFor(`d${count}.test`)
      assert.ok(performance.now() - began < 5000, 'deliveries waited')
      assert.match(world.log.join('\n'), /^crit Redis 127\.0\.0\.1:\d+ \(tests\): /)

      await returns(redis)
      await isBack({ redis, world })
      await worker.close() // saves what could not be saved
    })

    test(`a Redis that ${how}, and a policy that cannot be had live: nothing is known, so mail waits`, async (t) => {
      const { redis, world } = await failing(t)
      await ends(redis)
      world.policy = UNREACHABLE
      const worker = world.worker()
      for (const evidence of [await worker.policyFor(DOMAIN), await worker.policyFor(DOMAIN)])
        assert.deepEqual([evidence.status, evidence.why], ['failed', 'cache-unreadable'])
      world.records = []
      assert.equal((await worker.policyFor('none.test')).status, 'none')
      await returns(redis)
    })
  }

  test('what was fetched while Redis was away is saved when it is back', async (t) => {
    const ground = await failing(t)
    const { redis, world } = ground
    await redis.kill()
    const worker = world.worker()
    assert.equal((await worker.policyFor(DOMAIN)).source, 'fetched')
    await redis.start()
    world.clock += 10_000
    for (let tries = 0; tries < 100 && !(await world.cache().read(DOMAIN)).ok; tries++) await sleep(20)
    await worker.policyFor('other.test') // finds it back
    await sleep(200)
    await worker.close()
    const saved = await world.cache().read(DOMAIN)
    assert.equal(saved.ok && saved.value?.id, '1')
  })

  test('T12: a Redis that was restarted empty costs a fetch, not a policy that is known', async (t) => {
    const { redis, world } = await failing(t)
    const worker = world.worker()
    await worker.policyFor(DOMAIN)
    await redis.kill()
    await redis.start()
    world.clock += 10_000
    assert.equal((await worker.policyFor(DOMAIN)).policy?.mode, 'enforce')
  })

  test('a Redis whose memory is full: what it has is read, what is new stays in memory, and it is said', async (t) => {
    const { redis, world } = await failing(t)
    await world.worker().policyFor(DOMAIN)
    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    const worker = world.worker()
    assert.equal((await worker.policyFor(DOMAIN)).source, 'cached')
    assert.equal((await worker.policyFor('new.test')).source, 'fetched')
    assert.equal((await worker.policyFor('new.test')).source, 'cached')
    assert.match(world.log.join('\n'), /crit .*OOM/)
    const dropped = await world.cache().dropPolicy(DOMAIN)
    assert.deepEqual(dropped, { ok: true, value: true })
  })
})
