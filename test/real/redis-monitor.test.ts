/**
 * What there is to look at, on a real Redis: what every store of it must do, and that it stays bounded and leaves nothing behind.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test, type TestContext } from 'node:test'
import { createRedisMonitor, type MonitorStore } from '../../dist/lib/monitor/index.js'
import { keepsTheContract } from '../lib/monitor/contract.ts'
import { batch, DAY, done, HOUR, message, NOW, refusal, resolver, sighting } from '../lib/monitor/facts.ts'
import { startRedis, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

describe('on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  beforeEach(() => redis.send('FLUSHALL'))
  after(() => redis.stop())
  const open = (): MonitorStore => createRedisMonitor({ redis: redis.open(), retention: 30 * DAY })

  keepsTheContract('Redis', async (t: TestContext) => {
    await redis.send('FLUSHALL')
    const stores = [open(), open()] as const
    t.after(() => {
      for (const store of stores) store.end()
    })
    return stores
  })

  test('whatever is not removed expires by itself, two days beyond the retention', async () => {
    const store = open()
    await fill(store, 'example.org')
    const keys = (await redis.send('KEYS', '*')) as string[]
    assert.equal(keys.length, 13, keys.join())
    for (const key of keys) {
      assert.match(key, /^outbound-tls:monitor:/)
      const left = Number(await redis.send('PTTL', key))
      assert.ok(left > 6 * DAY && left <= 32 * DAY, `${key}: ${left}`)
    }
  })

  test('what is old is removed with all that belongs to it, but counters and writers', async () => {
    const store = open()
    for (let index = 0; index < 3; index++) await fill(store, `d${index}.test`)
    await done(store.removeOld(NOW + DAY, NOW + 3 * DAY))
    const keys = (await redis.send('KEYS', '*')) as string[]
    const left = keys.filter((key) => !key.includes(':writer:')).map((key) => key.replace('outbound-tls:monitor:', ''))
    assert.deepEqual(left, ['amounts:mail1'])
  })

  test('counters of a host outlive a server that is started again', async (t) => {
    const own = await startRedis({ appendonly: 'yes' })
    t.after(own.stop)
    const write = async () => {
      const store = createRedisMonitor({ redis: own.open(), retention: DAY })
      const result = await done(store.add(batch({ amounts: [{ meter: 'a', labels: '{}', value: 2 }] }), NOW))
      const [amount] = await done(store.amounts('mail1'))
      store.end()
      return [result, amount?.value]
    }
    assert.deepEqual(await write(), [true, 2])
    await own.start()
    assert.deepEqual(await write(), [true, 4])
  })

  test('a batch that a full server refuses changes nothing, and counts once when there is room', async (t) => {
    const own = await startRedis()
    t.after(own.stop)
    const store = createRedisMonitor({ redis: own.open(), retention: DAY })
    await done(store.add(batch(), NOW))
    await own.send('CONFIG', 'SET', 'maxmemory', '1')
    const full = batch({ amounts: [{ meter: 'a', labels: '{}', value: 2 }], sightings: [sighting()] })
    assert.equal((await store.add(full, NOW)).ok, false)
    await own.send('CONFIG', 'SET', 'maxmemory', '0')
    assert.deepEqual(await done(store.amounts('mail1')), [])
    assert.equal(await done(store.add(full, NOW)), true)
    assert.deepEqual(await done(store.amounts('mail1')), full.amounts)
  })

  test('ten thousand messages wait at most, and one more that is among them already', async () => {
    const store = open()
    const name = (index: number) => String(index).padStart(5, '0')
    for (let from = 0; from < 10_100; from += 1000) {
      const waiting = Array.from({ length: 1000 }, (_, index) => {
        const id = name(from + index)
        return { id, message: message({ id, domain: `d${(from + index) % 7}.test` }) }
      })
      await done(store.add(batch({ waiting }), NOW))
    }
    const { messages, domains } = await done(store.waiting(NOW, 3))
    assert.equal(messages, 10_000)
    assert.deepEqual(
      domains.map((each) => each.messages),
      [1429, 1429, 1429],
    )
    const again = message({ id: name(1), domain: 'd1.test', text: 'again' })
    await done(store.add(batch({ waiting: [{ id: again.id, message: again }] }), NOW + 1))
    const first = (await done(store.waiting(NOW, 10))).domains.find(({ domain }) => domain === 'd1.test')
    assert.equal(first?.text, 'again')
    assert.equal((await done(store.waitingFor('d1.test', NOW, 1200))).length, 1200)
  })

  test('a thousand destinations that were last seen at the same time come page by page, too', async () => {
    const store = open()
    const domains = Array.from({ length: 2500 }, (_, index) => `d${String(index).padStart(4, '0')}.test`)
    const sightings = domains.map((domain) => sighting({ domain }))
    await done(store.add(batch({ sightings }), NOW))
    for (const search of ['', 'test']) {
      const seen: string[] = []
      let after: { readonly rank: number; readonly domain: string } | undefined
      do {
        const page = await done(store.destinations({ search, after, limit: 600 }))
        seen.push(...page.entries.map(({ domain }) => domain))
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(seen, domains.toReversed())
    }
    const { entries } = await done(store.destinations({ search: 'd0001.', after: undefined, limit: 10 }))
    assert.deepEqual(
      entries.map(({ domain }) => domain),
      ['d0001.test'],
    )
  })
})

/** Some of everything. */
async function fill(store: MonitorStore, domain: string): Promise<void> {
  const hour = NOW - (NOW % HOUR)
  await done(
    store.add(
      batch({
        amounts: [{ meter: 'a', labels: '{}', value: 1 }],
        levels: [{ hour, level: 'verified', tlsVersion: 'TLSv1.3', count: 1 }],
        sightings: [refusal({ domain }), sighting({ domain })],
        waiting: [{ id: domain, message: message({ id: domain, domain }) }],
        resolver: resolver(),
      }),
      NOW,
    ),
  )
}
