/**
 * Outcomes on a real Redis: what every store of outcomes must do, and what becomes of them where the server does not.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createRecorder,
  createRedisOutcomes,
  type OutcomeStore,
  type SessionOutcome,
} from '../../dist/lib/outcomes/index.js'
import { describeEngine } from '../lib/outcomes/engine.ts'
import { batch, counted, value } from '../lib/outcomes/ground.ts'
import { killWriters } from '../lib/outcomes/kill.ts'
import { startRedis, startRedisFor, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MIDNIGHT = Date.UTC(2027, 0, 31)
const today = { start: MIDNIGHT, end: MIDNIGHT + DAY }
const DOMAIN = 'example.org'

async function successesOf(store: OutcomeStore, domain = DOMAIN): Promise<number> {
  const facts = await value(store.policiesOf(domain, today))
  return facts.reduce((sum, { successes }) => sum + successes, 0)
}

describe('on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.stop())

  const open = (retention = 30 * DAY) => createRedisOutcomes({ redis: redis.open(), retention })

  describeEngine('Redis', {
    open: async () => {
      await redis.send('FLUSHALL')
      return { store: open(), again: open }
    },
  })

  test('nobody looks through all keys', async () => {
    const used = String(await redis.send('INFO', 'commandstats'))
    assert.match(used, /cmdstat_hincrby/)
    assert.doesNotMatch(used, /cmdstat_(keys|scan|hscan|sscan|zscan|randomkey)/)
  })

  test('what is counted expires by itself, two days behind its retention', async () => {
    await redis.send('FLUSHALL')
    const store = open(8 * DAY)
    const policy = { type: 'tlsa', domain: 'mx1.example.org', strings: ['3 1 1 AB'] } as const
    await value(store.add(batch([counted({ policy })], []), 0))
    await value(store.close(MIDNIGHT))
    const keys = (await redis.send('KEYS', '*')) as string[]
    const left = new Map<string, number>()
    for (const key of keys) left.set(key, Number(await redis.send('PTTL', key)))
    const forGood = [...left]
      .filter(([, time]) => time === -1)
      .map(([key]) => key.replace('outbound-tls:outcomes:', ''))
    assert.deepEqual(forGood.sort(), ['closed', 'days', 'hours'])
    assert.equal(keys.length, 7)
    for (const [key, time] of left) assert.ok(time <= 10 * DAY && (time === -1 || time > 6 * DAY), key)
  })

  test('a policy that is used lives as long as what refers to it', async () => {
    await redis.send('FLUSHALL')
    const store = open()
    const policy = { type: 'tlsa', domain: 'mx1.example.org', strings: ['3 1 1 AB'] } as const
    await value(store.add(batch([counted({ policy })]), 0))
    const [key = ''] = (await redis.send('KEYS', 'outbound-tls:outcomes:policy:*')) as string[]
    await redis.send('PEXPIRE', key, String(29 * DAY))
    await value(store.add(batch([counted({ policy, hour: MIDNIGHT + HOUR })]), 0))
    assert.ok(Number(await redis.send('PTTL', key)) > 31 * DAY)
    await redis.send('DEL', key)
    assert.deepEqual(await value(store.policiesOf(DOMAIN, today)), [
      { policy: { type: 'tlsa', domain: DOMAIN }, successes: 2, failures: 0, details: [] },
    ])
  })

  test('a domain costs half a kilobyte a day', async () => {
    await redis.send('FLUSHALL')
    const used = async () => Number(/used_memory:(\d+)/.exec(String(await redis.send('INFO', 'memory')))?.[1])
    const store = open()
    const empty = await used()
    const session = { level: 'verified', tlsVersion: 'TLSv1.3', host: 'mx1.example.org', count: 1 } as const
    for (let piece = 0; piece < 40; piece++) {
      const domains = Array.from({ length: 50 }, (_, index) => `domain-${piece * 50 + index}.example`)
      const policies = domains.map((domain) => counted({ domain }))
      const sessions = domains.map((domain) => ({ hour: MIDNIGHT, domain, ...session }))
      await value(store.add(batch(policies, sessions), 0))
    }
    const each = ((await used()) - empty) / 2000
    assert.ok(each < 600, `${each} bytes`)
  })

  test('domains of one hour are found among many of the day, page by page', async () => {
    await redis.send('FLUSHALL')
    const store = open()
    const name = (index: number) => `d${String(index).padStart(4, '0')}.test`
    for (let piece = 0; piece < 30; piece++) {
      const counts = Array.from({ length: 50 }, (_, index) => {
        const number = piece * 50 + index
        return counted({ domain: name(number), hour: MIDNIGHT + (number % 300 === 7 ? 5 : 3) * HOUR })
      })
      await value(store.add(batch(counts), 0))
    }
    const hour = { start: MIDNIGHT + 5 * HOUR, end: MIDNIGHT + 6 * HOUR }
    assert.deepEqual(await value(store.domainsOf(hour, '', 2)), [name(7), name(307)])
    assert.deepEqual(await value(store.domainsOf(hour, name(307), 2)), [name(607), name(907)])
    assert.deepEqual(await value(store.domainsOf(hour, name(907), 2)), [name(1207)])
    const two = { start: MIDNIGHT + 3 * HOUR, end: MIDNIGHT + DAY }
    assert.equal((await value(store.domainsOf(two, '', 2000))).length, 1500)
    assert.deepEqual(await value(store.domainsOf(two, name(1497), 10)), [name(1498), name(1499)])
    await value(store.removeOld(MIDNIGHT + DAY))
    assert.deepEqual(await redis.send('KEYS', 'outbound-tls:outcomes:d*'), [])
  })
})

describe('where Redis fails', { skip: skipWithout('redis-server') }, () => {
  interface Ground {
    readonly redis: RedisServer
    readonly log: string[]
    readonly store: OutcomeStore
    /** what the pauses go by: one millisecond is ten seconds here */
    readonly open: () => OutcomeStore
  }

  async function ground(t: TestContext, options = {}): Promise<Ground> {
    const redis = await startRedisFor(t, options)
    const log: string[] = []
    const clock = () => performance.now() * 10_000
    const open = () => createRedisOutcomes({ redis: redis.open({ log, limit: 300, clock }), retention: 30 * DAY })
    return { redis, log, open, store: open() }
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await holds()); tries++) {
      assert.ok(tries < 500, 'never came to be')
      await sleep(20)
    }
  }

  test('a batch whose answer was lost counts once, however often it is tried', async (t) => {
    const { redis, store } = await ground(t)
    await value(store.add(batch([counted()]), 0))
    await redis.pause()
    const lost = batch([counted({ count: 5 })])
    assert.equal((await store.add(lost, 0)).ok, false)
    await redis.resume() // and reads what was sent
    await until(async () => (await store.add(lost, 0)).ok)
    assert.deepEqual(await value(store.add(lost, 0)), { isNew: false, bookedForward: 0, folded: 0 })
    assert.equal(await successesOf(store), 6)
  })

  test('a server without memory refuses a batch as a whole; when it has some, the batch counts once', async (t) => {
    const { redis, store } = await ground(t)
    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    const full = batch([counted(), counted({ domain: 'other.test' })])
    const done = await store.add(full, 0)
    assert.match(done.ok ? '' : done.text, /OOM/)
    assert.deepEqual(await redis.send('KEYS', '*'), [])
    await redis.send('CONFIG', 'SET', 'maxmemory', '0')
    assert.equal((await value(store.add(full, 0))).isNew, true)
    assert.equal((await value(store.add(full, 0))).isNew, false)
    assert.equal(await successesOf(store), 1)
  })

  for (const [why, configure, restore, pattern] of [
    ['a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /READONLY|replica/],
    ['one that wants a password', ['CONFIG', 'SET', 'requirepass', 'x'], undefined, /NOAUTH/],
  ] as const) {
    test(`${why} is said to be one, and left until it is none`, async (t) => {
      const { redis, log, store } = await ground(t)
      await redis.send(...configure)
      await until(async () => !(await store.add(batch([counted()]), 0)).ok)
      assert.match(log.join('\n'), pattern)
      if (restore === undefined) return
      await redis.send(...restore)
      await until(async () => (await store.add(batch([counted()]), 0)).ok)
      assert.match(log.join('\n'), /notice .*connected again/)
    })
  }

  test('outcomes that are recorded while Redis is gone are counted when it is back, each once', async (t) => {
    const { redis, log, open } = await ground(t, { appendonly: 'yes', appendfsync: 'always' })
    const store = open()
    const recorder = createRecorder({ store, log: (level, text) => log.push(`${level} ${text}`) })
    let recorded = 0
    const record = (): void => {
      recorder.record(outcomeOf(recorded++ % 40))
    }
    for (const ends of [redis.kill, redis.pause, redis.kill]) {
      const busy = setInterval(() => Array.from({ length: 20 }, record), 2)
      await sleep(300)
      await ends()
      await sleep(500)
      await redis.resume()
      if (ends === redis.kill) await redis.start()
      await sleep(300)
      clearInterval(busy)
      await until(async () => (await store.firstHour()).ok)
    }
    await until(async () => {
      await recorder.flush()
      return (await countAll(store)) === recorded
    })
    assert.ok(recorded > 1000)
    await sleep(300)
    assert.equal(await countAll(store), recorded)
    assert.doesNotMatch(log.join('\n'), /lost/)
    // one for each attempt at most: by this clock, the minute between two of them is over in a moment
    assert.ok(log.filter((line) => line.startsWith('crit')).length <= 15, log.join('\n'))
  })

  test('a server that stays away costs memory up to a bound, then the oldest outcomes; the log says how many', async (t) => {
    const { redis, log, store } = await ground(t)
    await redis.kill()
    const recorder = createRecorder({ store, log: (level, text) => log.push(`${level} ${text}`) })
    for (let index = 0; index < 21_000; index++) recorder.record(outcomeOf(index))
    await recorder.flush()
    recorder.flushNow()
    assert.match(log.join('\n'), /error \d+ outcomes are lost/)
  })

  test('two hosts on one server count together', async (t) => {
    const { log, open } = await ground(t)
    const stores = [open(), open()]
    const recorders = stores.map((store) => createRecorder({ store, log: (_, text) => log.push(text) }))
    for (let index = 0; index < 500; index++) for (const recorder of recorders) recorder.record(outcomeOf(index % 10))
    await Promise.all(recorders.map((recorder) => recorder.flush()))
    assert.equal(await countAll(open()), 1000)
    assert.deepEqual(log, [])
  })

  test('what a process has written is there after its SIGKILL, fifty times, and nothing is counted twice', async (t) => {
    const { redis, open } = await ground(t)
    await killWriters(t, ['redis', String(redis.port)], open())
  })

  test('a replica that takes over knows which batches were counted', async (t) => {
    const { redis, open } = await ground(t, { 'repl-diskless-sync-delay': '0' })
    const replica = await startRedisFor(t, { replicaof: `127.0.0.1 ${redis.port}` })
    const store = open()
    await value(store.add(batch([counted()]), 0))
    const last = batch([counted({ count: 3 })])
    assert.equal((await value(store.add(last, 0))).isNew, true)
    await until(async () => String(await replica.send('GET', `outbound-tls:outcomes:writer:a`)) === String(last.number))
    await redis.kill()
    await replica.send('REPLICAOF', 'NO', 'ONE')

    const after = createRedisOutcomes({ redis: replica.open(), retention: 30 * DAY })
    assert.equal((await value(after.add(last, 0))).isNew, false) // its answer had been lost
    assert.equal((await value(after.add(batch([counted()]), 0))).isNew, true)
    assert.equal(await successesOf(after), 5)
  })

  function outcomeOf(index: number): SessionOutcome {
    const domain = `d${index}.test`
    return {
      at: new Date(MIDNIGHT + HOUR),
      domain,
      host: `mx1.${domain}`,
      sendingAddress: undefined,
      receivingAddress: undefined,
      level: 'trusted',
      tlsVersion: 'TLSv1.3',
      results: [{ policy: { type: 'no-policy-found', domain } }],
    }
  }

  async function countAll(store: OutcomeStore): Promise<number> {
    const sessions = await value(store.sessionsOf({ period: today }))
    const domains = await value(store.domainsOf(today, '', 1000))
    let successes = 0
    for (const domain of domains) successes += await successesOf(store, domain)
    assert.equal(
      successes,
      sessions.reduce((sum, { count }) => sum + count, 0),
    )
    return successes
  }
})
