import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createMonitorRecorder,
  METERS,
  type Meter,
  type MeterName,
  type MonitorBatch,
  type MonitorStore,
  type MonitorRecorder,
  type Downgrade,
} from '../../../dist/lib/monitor/index.js'
import { DAY, HOUR, message, NOW, refusal, resolver, sighting } from './facts.ts'

interface World {
  readonly recorder: MonitorRecorder
  readonly batches: MonitorBatch[]
  readonly removed: number[]
  /** what the store does with a batch */
  accept: (batch: MonitorBatch) => boolean
  /** what the store finds worse than it was */
  downgrades: readonly Downgrade[]
  readonly told: Downgrade[]
  now: number
  /** the clock that nobody sets */
  clock: number
}

/** A recorder on a store that takes down what it is given. */
function world(): World {
  const it: Omit<World, 'recorder'> = {
    ...{ batches: [], removed: [], accept: () => true, now: NOW, clock: 0 },
    ...{ downgrades: [], told: [] },
  }
  const addNow: MonitorStore['addNow'] = (batch) => {
    const accepted = it.accept(batch)
    if (accepted) it.batches.push(batch)
    return accepted
      ? { ok: true, value: { downgrades: batch.connections.length > 0 ? it.downgrades : [] } }
      : { ok: false, text: 'full' }
  }
  const add: MonitorStore['add'] = (batch) => Promise.resolve(addNow(batch))
  const removeOld: MonitorStore['removeOld'] = (retention) => {
    it.removed.push(retention)
    return Promise.resolve({ ok: true, value: undefined })
  }
  const store = { add, addNow, removeOld } as MonitorStore
  const options = {
    store,
    machine: 'mail1',
    retention: 30 * DAY,
    onDowngrade: (downgrade: Downgrade) => void it.told.push(downgrade),
    now: () => it.now,
    clock: () => it.clock,
    random: () => 0.5,
  }
  return Object.assign(it, { recorder: createMonitorRecorder(options) })
}

/** All numbers of a meter, by their labels. */
function amounts({ batches }: World, meter: MeterName): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { meter: name, labels, value } of batches.flatMap((batch) => batch.amounts))
    if (name === METERS[meter].name) sums[labels] = (sums[labels] ?? 0) + value
  return sums
}

describe('a recorder', () => {
  test('tells of hosts that are worse than they were, and counts them', async () => {
    const it = world()
    const downgrade = { domain: 'example.org', host: 'mx1.example.org', goodSince: 1, goodAt: 2, text: 'expired' }
    it.downgrades = [downgrade]
    it.recorder.recordConnection(sighting())
    await it.recorder.flush()
    assert.deepEqual(it.told, [downgrade])
    assert.deepEqual(amounts(it, 'downgrades'), { '{}': 1 })
  })

  test('keeps what could not be written, and writes it again under its number', async () => {
    const it = world()
    const seen: MonitorBatch[] = []
    it.accept = (batch) => seen.push(batch) > 2
    it.recorder.count('outcomesLost', {}, 3)
    await it.recorder.flush()
    it.recorder.count('outcomesLost', {}, 4)
    await it.recorder.flush()
    await it.recorder.flush()
    assert.deepEqual(
      seen.map(({ number, writer }) => [number, writer === seen[0]?.writer]),
      [
        [1, true],
        [1, true],
        [1, true],
        [2, true],
      ],
    )
    assert.deepEqual(amounts(it, 'outcomesLost'), { '{}': 7 })
  })

  test('takes a bounded amount of memory while nothing can be written, and gives up what is oldest', async () => {
    const it = world()
    it.accept = () => false
    for (let number = 0; number < 12_000; number++) {
      it.recorder.recordConnection(refusal({ domain: `d${number}.test`, at: NOW + number }))
      it.recorder.addDeferred(message({ id: String(number) }))
      it.recorder.count('deferrals', { status: `x${number}` })
    }
    await it.recorder.flush()
    it.accept = () => true
    await it.recorder.flush()
    const sightings = it.batches.flatMap((batch) => batch.connections)
    assert.equal(sightings.length, 10_000)
    assert.equal(sightings.at(-1)?.domain, 'd11999.test')
    assert.equal(it.batches.flatMap(({ waiting }) => waiting).length, 10_000)
    assert.deepEqual(amounts(it, 'deferrals'), { '{"status":"other"}': 12_000 })
  })

  test('writes small batches only', async () => {
    const it = world()
    for (let number = 0; number < 500; number++) it.recorder.recordConnection(sighting({ domain: `d${number}.test` }))
    await it.recorder.flush()
    for (const { connections, amounts } of it.batches) assert.ok(connections.length <= 40 && amounts.length <= 40)
    assert.equal(it.batches.flatMap(({ connections }) => connections).length, 500)
  })

  test('keeps names and texts of a bounded length', async () => {
    const it = world()
    const long = 'x'.repeat(100_000)
    it.recorder.recordConnection(refusal({ domain: long, host: long, text: long }))
    it.recorder.addDeferred(
      message({ domain: long, text: long, reasons: Array.from({ length: 50 }, (_, n) => `r${n}`) }),
    )
    await it.recorder.flush()
    assert.ok(JSON.stringify(it.batches).length < 10_000)
    assert.equal(it.batches[0]?.waiting[0]?.message?.reasons.length, 8)
  })

  test('has a fixed list of values for every label', async () => {
    const it = world()
    it.recorder.recordConnection(refusal({ reason: 'something\nnew{}"' }))
    it.recorder.time('dnsQueries', { type: 'TYPE12345', result: 'RCODE_OTHER' }, 1)
    for (const meter of Object.keys(METERS) as MeterName[])
      it.recorder.count(meter, { level: 'x', result: 'x', source: 'x', type: 'x', version: 'x' })
    await it.recorder.flush()
    for (const { meter, labels } of it.batches.flatMap(({ amounts }) => amounts)) {
      const known = Object.values<Meter>(METERS).find(({ name }) => name === meter)
      const given = JSON.parse(labels) as Record<string, string>
      delete given.le
      assert.deepEqual(Object.keys(given), Object.keys(known?.labels ?? {}))
      for (const [label, value] of Object.entries(given))
        assert.ok(value === 'other' || known?.labels[label]?.includes(value), `${label}=${value}`)
    }
  })

  test('keeps the last sighting of each domain, host and kind, and counts all of them', async () => {
    const it = world()
    for (let time = 0; time < 3; time++) {
      it.recorder.recordConnection(sighting({ at: NOW + time }))
      it.recorder.recordConnection(refusal({ at: NOW + time }))
    }
    it.recorder.recordConnection(refusal({ host: undefined }))
    it.recorder.recordConnection(
      sighting({ at: NOW + HOUR, level: 'clear-text', tlsVersion: undefined, reason: 'starttls-optional' }),
    )
    await it.recorder.flush()
    const [batch] = it.batches
    assert.deepEqual(
      batch?.connections.map(({ at, level, host }) => [at, level, host]),
      [
        [NOW + 2, 'refused', 'mx1.example.org'],
        [NOW, 'refused', undefined],
        [NOW + HOUR, 'clear-text', 'mx1.example.org'],
      ],
    )
    assert.deepEqual(amounts(it, 'connections'), {
      '{"level":"verified","reason":"dane-match"}': 3,
      '{"level":"refused","reason":"dane-no-match"}': 4,
      '{"level":"clear-text","reason":"starttls-optional"}': 1,
    })
    assert.deepEqual(amounts(it, 'tlsVersions'), { '{"version":"TLSv1.3"}': 3 })
  })

  test('of a message that waits, the last word counts', async () => {
    const it = world()
    it.recorder.addDeferred(message())
    it.recorder.removeDeferred('1')
    it.recorder.removeDeferred('2')
    it.recorder.addDeferred(message({ id: '2' }))
    await it.recorder.flush()
    assert.deepEqual(it.batches[0]?.waiting, [
      { id: '1', message: undefined },
      { id: '2', message: message({ id: '2' }) },
    ])
  })

  test('puts what took its time into buckets, and adds it up', async () => {
    const it = world()
    for (const milliseconds of [4, 5, 30, 60_000]) it.recorder.time('stsFetches', { result: 'fetched' }, milliseconds)
    await it.recorder.flush()
    const { '{"result":"fetched","le":"sum"}': sum, ...buckets } = amounts(it, 'stsFetches')
    assert.deepEqual(buckets, {
      '{"result":"fetched","le":"0.005"}': 2,
      '{"result":"fetched","le":"0.05"}': 1,
      '{"result":"fetched","le":"+Inf"}': 1,
    })
    assert.ok(Math.abs((sum ?? 0) - 60.039) < 1e-9)
  })

  test('counts each policy that a session was judged for', async () => {
    const it = world()
    const failure = { type: 'validation-failure', reason: 'dane-no-match' } as const
    const results = [
      { policy: { type: 'tlsa', domain: 'mx1.example.org' }, failure },
      { policy: { type: 'sts', domain: 'example.org' } },
    ] as const
    const nothing = { host: undefined, sendingAddress: undefined, receivingAddress: undefined, tlsVersion: undefined }
    it.recorder.judged({ at: new Date(NOW), domain: 'example.org', level: 'refused', ...nothing, results })
    await it.recorder.flush()
    assert.deepEqual(amounts(it, 'policyResults'), {
      '{"policy":"tlsa","result":"validation-failure"}': 1,
      '{"policy":"sts","result":"success"}': 1,
    })
  })

  test('says whose resolver was tested', async () => {
    const it = world()
    it.recorder.tested(resolver({ machine: undefined as never, validates: false }))
    await it.recorder.flush()
    assert.deepEqual(it.batches[0]?.resolver, resolver({ validates: false }))
  })

  test('removes what is older than the retention, once an hour', async () => {
    const it = world()
    it.recorder.count('outcomesLost', {})
    await it.recorder.flush()
    assert.deepEqual(it.removed, [])
    it.now = NOW + HOUR
    it.clock = HOUR
    for (let time = 0; time < 2; time++) {
      it.recorder.count('outcomesLost', {})
      await it.recorder.flush()
    }
    assert.deepEqual(it.removed, [30 * DAY])
  })

  test('writes what there is at the end of the process, where nothing can be waited for', async () => {
    const it = world()
    for (let number = 0; number < 100; number++) it.recorder.removeDeferred(String(number))
    it.recorder.flushNow()
    assert.equal(it.batches.flatMap(({ waiting }) => waiting).length, 100)

    it.recorder.count('outcomesLost', {})
    it.accept = () => false
    it.recorder.flushNow() // comes to an end all the same
    it.accept = () => true
    await it.recorder.flush()
    assert.deepEqual(amounts(it, 'outcomesLost'), { '{}': 1 })
  })

  test('removes nothing because of a clock that was set', async () => {
    const it = world()
    it.now = NOW + 365 * DAY
    it.clock = HOUR
    it.recorder.count('outcomesLost', {})
    await it.recorder.flush()
    assert.deepEqual(it.removed, [])
  })

  test('takes nothing after its end', async () => {
    const it = world()
    it.recorder.count('outcomesLost', {})
    await it.recorder.close()
    it.recorder.count('outcomesLost', {})
    await it.recorder.flush()
    assert.deepEqual(amounts(it, 'outcomesLost'), { '{}': 1 })
  })
})
