/**
 * The ledger of reports on a real Redis: what every ledger must do, and what becomes of it where the server has no memory, restarts, or
 * is replaced.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createRedisLedger, type Lease, type ReportEntry, type ReportLedger } from '../../dist/lib/reports/index.js'
import { ledgerContract } from '../lib/reports/ledger-contract.ts'
import { DAY, HOUR, newReport, NOW, START, value } from '../lib/reports/ledger-ground.ts'
import { startRedis, startRedisFor, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

const KEEP = { retention: 30 * DAY }

async function leaseOf(ledger: ReportLedger): Promise<Lease> {
  const lease = await value(ledger.takeLease('a', NOW, NOW + 60_000))
  assert.ok(lease)
  return lease
}

async function entryOf(ledger: ReportLedger, domain: string): Promise<ReportEntry> {
  const entry = await value(ledger.read(newReport(domain)))
  assert.ok(entry)
  return entry
}

/** Of a report on the first day. */
const keyOf = (domain: string): string => `report:${domain}|${999_999_999_999_999 - START}`

describe('on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  beforeEach(() => redis.send('FLUSHALL'))
  after(() => redis.stop())
  const open = (): ReportLedger => createRedisLedger({ redis: redis.open(), ...KEEP })
  const keys = async (pattern = '*'): Promise<string[]> =>
    ((await redis.send('KEYS', pattern)) as string[]).map((key) => key.replace('outbound-tls:reports:', '')).sort()
  const daysLeft = async (key: string): Promise<number> =>
    Number(await redis.send('PTTL', `outbound-tls:reports:${key}`)) / DAY

  ledgerContract('Redis', open)

  test('nobody looks through all keys', async () => {
    await redis.send('CONFIG', 'RESETSTAT')
    const ledger = open()
    const lease = await leaseOf(ledger)
    await value(ledger.schedule(lease, [newReport('a.test')]))
    await value(ledger.change(await entryOf(ledger, 'a.test'), { state: 'not-wanted', dueAt: Infinity }))
    await value(ledger.list({ limit: 10 }))
    await value(ledger.removeOld(NOW))
    const used = String(await redis.send('INFO', 'commandstats'))
    assert.match(used, /cmdstat_zrevrangebylex/)
    assert.doesNotMatch(used, /cmdstat_(keys|scan|hscan|sscan|zscan|randomkey)/)
  })

  test('what is over expires by itself two days behind its retention, what waits a year later, promises never', async () => {
    const ledger = open()
    const lease = await leaseOf(ledger)
    await value(ledger.saveTimetables(lease, [{ group: '', through: START, length: 'daily' }]))
    await value(ledger.schedule(lease, [newReport('a.test'), newReport('b.test')]))
    const over = await value(
      ledger.change(await entryOf(ledger, 'a.test'), { state: 'given-up', dueAt: Infinity, frozen: Buffer.from('x') }),
    )
    await value(ledger.suppress('c.test', NOW))
    await value(ledger.requestSend({ domain: 'a.test', at: NOW }))
    const left = new Map<string, number>()
    for (const key of await keys()) left.set(key, await daysLeft(key))
    const [a, b] = ['a.test', 'b.test'].map(keyOf)
    assert.deepEqual(
      [...left].map(([key, days]) => [key, days < 0 ? 'always' : Math.ceil(days)]),
      [
        ['by-domain', 395],
        ['due', 395],
        ['given-up', 395],
        ['lease', 'always'],
        [a, 32],
        [b, 395],
        ['requests', 'always'],
        ['scheduled', 395],
        ['suppressions', 'always'],
        ['timetables', 'always'],
      ],
    )
    // and what the command has tried again does not expire meanwhile
    assert.ok(over)
    await value(ledger.change(over, { state: 'sending', dueAt: NOW }))
    assert.equal(Math.ceil(await daysLeft(a ?? '')), 395)
  })

  test('what is removed leaves nothing', async () => {
    const ledger = open()
    const lease = await leaseOf(ledger)
    await value(ledger.schedule(lease, [newReport('a.test'), newReport('b.test', { start: START + DAY })]))
    for (const start of [START, START + DAY]) {
      const entry = await value(ledger.read({ domain: start === START ? 'a.test' : 'b.test', start }))
      assert.ok(entry)
      await value(ledger.change(entry, { state: 'not-wanted', dueAt: Infinity }))
    }
    await value(ledger.removeOld(START + 9 * DAY))
    assert.deepEqual(await keys(), ['lease'])
  })

  for (const [what, look] of [
    ['keeps nobody waiting', (ledger: ReportLedger) => ledger.due(NOW, 5)],
    ['is not listed, and does not look like the end of the list', (ledger: ReportLedger) => ledger.list({ limit: 5 })],
  ] as const)
    test(`what has expired ${what}`, async () => {
      const ledger = open()
      const lease = await leaseOf(ledger)
      const gone = Array.from({ length: 25 }, (_, index) => newReport(`gone${index}.test`, { dueAt: NOW - HOUR }))
      await value(ledger.schedule(lease, [...gone, newReport('there.test')]))
      for (const [index, { domain }] of gone.entries()) {
        const key = `outbound-tls:reports:${keyOf(domain)}`
        await (index === 0 ? redis.send('HDEL', key, 'facts') : redis.send('DEL', key))
      }
      assert.deepEqual(
        (await value(look(ledger))).map(({ domain }) => domain),
        ['there.test'],
      )
      assert.equal(await value(ledger.count('scheduled', 100)), 1)
    })

  test('many are listed, each once, whatever the size of the pieces', async () => {
    const ledger = open()
    const lease = await leaseOf(ledger)
    const ofOne = Array.from({ length: 700 }, (_, index) => newReport('one.test', { start: START - index * HOUR }))
    const ofOthers = Array.from({ length: 700 }, (_, index) => newReport(`${index}.test`))
    await value(ledger.schedule(lease, [...ofOne, ...ofOthers]))
    for (const [query, count] of [
      [{ domain: 'one.test', limit: 1000 }, 700],
      [{ domain: 'one.test', limit: 600 }, 600],
      [{ limit: 2000 }, 1400],
      [{ limit: 1200 }, 1200],
    ] as const) {
      const listed = await value(ledger.list(query))
      assert.equal(new Set(listed.map(({ domain, start }) => `${domain} ${start}`)).size, count)
      assert.ok(listed.every(({ start }, index) => index === 0 || start <= (listed[index - 1]?.start ?? 0)))
    }
    assert.equal((await value(ledger.due(NOW, 1200))).length, 500) // so that no answer is long
  })

  test('a report that nobody wants takes less than a kilobyte', async () => {
    const used = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(String(await redis.send('INFO', 'memory')))?.[1])
    const ledger = open()
    const lease = await leaseOf(ledger)
    const empty = await used()
    const reports = Array.from({ length: 1000 }, (_, index) => newReport(`domain-${index}.example`))
    await value(ledger.schedule(lease, reports))
    for (const { domain } of reports) {
      const change = { state: 'not-wanted', dueAt: Infinity, note: 'no TLSRPT record' } as const
      await value(ledger.change(await entryOf(ledger, domain), change, lease))
    }
    const each = ((await used()) - empty) / 1000
    assert.ok(each < 1000, `${each} bytes`)
  })
})

describe('where Redis fails', { skip: skipWithout('redis-server') }, () => {
  test('without memory nothing changes by halves, and what frees some is done', async (t) => {
    const redis = await startRedisFor(t)
    const ledger = createRedisLedger({ redis: redis.open(), ...KEEP })
    const lease = await leaseOf(ledger)
    await value(ledger.schedule(lease, [newReport('old.test'), newReport('a.test')]))
    await value(ledger.change(await entryOf(ledger, 'old.test'), { state: 'sent', dueAt: Infinity }))
    const before = await entryOf(ledger, 'a.test')

    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    const change = { state: 'not-wanted', dueAt: Infinity, frozen: Buffer.from('x') } as const
    for (const done of [
      await ledger.change(before, change, lease),
      await ledger.schedule(lease, [newReport('b.test')]),
      await ledger.saveTimetables(lease, []),
      await ledger.takeLease('a', NOW, NOW + 60_000),
    ])
      assert.match(done.ok ? '' : done.text, /OOM/)
    await value(ledger.removeOld(NOW))
    assert.deepEqual(await value(ledger.list({ limit: 10 })), [before])
    assert.deepEqual(await value(ledger.due(NOW, 10)), [before])

    await redis.send('CONFIG', 'SET', 'maxmemory', '0')
    assert.equal((await value(ledger.change(before, change, lease)))?.state, 'not-wanted')
  })

  test('what it has answered is there after a restart, where it writes things down', async (t) => {
    const redis = await startRedisFor(t, { appendonly: 'yes', appendfsync: 'always' })
    const ledger = createRedisLedger({ redis: redis.open({ clock: () => performance.now() * 10_000 }), ...KEEP })
    const lease = await leaseOf(ledger)
    await value(ledger.schedule(lease, [newReport('a.test')]))
    const frozen = Buffer.from([0, 255, 13, 10])
    const entry = await value(ledger.change(await entryOf(ledger, 'a.test'), { state: 'sending', frozen }, lease))
    await redis.kill()
    await redis.start()
    const done = async (): Promise<ReportEntry | undefined> => {
      for (;;) {
        const read = await ledger.read(newReport('a.test'))
        if (read.ok) return read.value
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    assert.deepEqual(await done(), entry)
    assert.deepEqual(await value(ledger.frozen(newReport('a.test'))), frozen)
    assert.equal((await value(ledger.takeLease('b', NOW, NOW + 60_000))) === undefined, true)
  })
})
