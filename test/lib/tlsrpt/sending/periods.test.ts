import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Reporter } from '../../../../dist/lib/tlsrpt/sending/index.js'
import { value } from './ledger-ground.ts'
import { at, counts, DAY, HOUR, MINUTE, noRecord, World, type Received, failed } from './world.ts'

function inOrderOfPeriods(received: readonly Received[]): readonly Received[] {
  const start = ({ report }: Received): number => Date.parse(report['date-range']['start-datetime'])
  return received.toSorted((a, b) => start(a) - start(b))
}

describe('a reporter', () => {
  test('R9: sends a report on a day when it is over and its grace time has passed', async (t) => {
    const world = new World(t, '2027-01-31T08:00:00')
    world.random = 0
    const worker = world.worker()
    await worker.look()
    await world.sessions('a.test', 3)
    await world.sessions('a.test', 2, { failed: true })
    await world.run('2027-02-01T00:04:59', [worker])
    assert.deepEqual(world.arrived, [])
    await world.run('2027-02-01T00:07:00', [worker], MINUTE)
    const [first] = world.received
    assert.ok(first)
    assert.equal(world.received.length, 1)
    assert.equal(first.rua, 'mailto:tls@a.test')
    assert.match(first.reportId, /^20270131T00Z\.u\d+@example\.org$/)
    assert.equal(first.report['report-id'], first.reportId)
    assert.equal(first.report['organization-name'], 'Example')
    assert.deepEqual(first.report['date-range'], {
      'start-datetime': '2027-01-31T00:00:00Z',
      'end-datetime': '2027-01-31T23:59:59Z',
    })
    assert.deepEqual(counts(first.report), { successful: 3, failed: 2 })
    const entry = await world.entry('a.test', '2027-01-31T00:00')
    assert.equal(entry.state, 'sent')
    assert.equal(entry.dueAt, Infinity)
    assert.deepEqual(entry.sessions, { successful: 3, failed: 2 })
    assert.equal(await value(world.ledger.frozen(entry)), undefined) // nothing is kept that is not needed any more
    await world.run('2027-02-04T00:00:00', [worker], HOUR)
    assert.equal(world.received.length, 1)
  })

  const lengths = [
    ['hourly', '2026-12-31T21:30', ['2026-12-31T21Z', '2026-12-31T22Z', '2026-12-31T23Z', '2027-01-01T00Z']],
    ['daily', '2027-02-27T12:00', ['2027-02-27', '2027-02-28', '2027-03-01', '2027-03-02']],
    ['daily', '2026-12-30T12:00', ['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']],
    [
      'weekly',
      '2026-12-22T12:00',
      ['2026-12-21 to 2026-12-27', '2026-12-28 to 2027-01-03', '2027-01-04 to 2027-01-10'],
    ],
  ] as const
  for (const [send, begun, periods] of lengths)
    for (const isDown of [false, true]) {
      const when = isDown ? 'also when the host was down over the deadlines' : 'one after the other'
      test(`R9: ${send} from ${begun}: each period by itself with its own dates, ${when}`, async (t) => {
        const world = new World(t, begun)
        world.set({ send })
        const worker = world.worker()
        await worker.look()
        await worker.idle()
        const length = { hourly: HOUR, daily: DAY, weekly: 7 * DAY }[send]
        const first = world.now
        for (const [index] of periods.entries()) {
          world.now = first + index * length
          await world.sessions('a.test', index + 1)
          if (!isDown) await world.run(world.now + length, [worker], length / 8)
        }
        world.now = first + periods.length * length
        await world.run(world.now + length, [isDown ? world.worker('b') : worker], length / 8)
        // those that are late leave at times of their own, and arrive in any order: each says which period it is about (R9)
        const received = isDown ? inOrderOfPeriods(world.received) : world.received
        assert.deepEqual(
          received.map(({ domain, period }) => `${domain} ${period}`),
          periods.map((period) => `a.test ${period}`),
        )
        assert.deepEqual(
          received.map(({ report }) => counts(report).successful),
          periods.map((_, index) => index + 1),
        )
        for (const { period, report } of received) {
          const [begins, ends = begins] = period.replace(/Z/g, '').split(' to ')
          const { 'start-datetime': start, 'end-datetime': end } = report['date-range']
          assert.ok(
            start.startsWith(begins ?? '?') && start.endsWith(send === 'hourly' ? ':00:00Z' : 'T00:00:00Z'),
            start,
          )
          assert.ok(end.startsWith(ends ?? '?') && end.endsWith(send === 'hourly' ? ':59:59Z' : 'T23:59:59Z'), end)
        }
        assert.equal(new Set(world.received.map(({ reportId }) => reportId)).size, periods.length)
      })
    }

  test('a change of send in mid-period takes effect with the next one; nothing is counted twice or missing', async (t) => {
    const world = new World(t, '2027-01-30T00:00')
    const worker = world.worker()
    const changes = new Map([
      [10, { send: 'hourly' }],
      [30, { send: 'weekly' }],
      [31, { send: 'daily' }],
      [60, { send: 'never' }],
      [62, { send: 'hourly' }],
    ] as const)
    let total = 0
    for (let hour = 0; hour < 80; hour++) {
      world.set(changes.get(hour as 10) ?? {})
      await world.sessions('a.test', ++total)
      await world.run(world.now + HOUR, [worker], 20 * MINUTE)
    }
    await world.run(world.now + DAY, [worker], HOUR)
    const reported = world.received.reduce((sum, { report }) => sum + counts(report).successful, 0)
    assert.equal(reported, (total * (total + 1)) / 2)
    assert.deepEqual(world.arrived.toSorted().slice(0, 2), ['a.test 2027-01-30', 'a.test 2027-01-31T00Z'])
  })

  for (const [what, by] of [
    ['an hour', HOUR],
    ['a day', DAY],
  ] as const)
    test(`a clock that is set back by ${what}: each period once, nothing is counted twice or missing, whoever works`, async (t) => {
      const world = new World(t, '2027-01-30T22:00')
      world.set({ send: 'hourly', spread: 0 })
      let passed = 0
      const clock = (): number => world.now + passed
      const [a, b] = [world.worker('a', { clock }), world.worker('b', { clock })]
      let total = 0
      const pass = async (hours: number, workers: readonly Reporter[]): Promise<void> => {
        for (let hour = 0; hour < hours; hour++) {
          await world.sessions('a.test', 1)
          total++
          await world.run(world.now + HOUR, workers, 10 * MINUTE)
        }
      }
      await pass(30, [a, b])
      world.now -= by
      passed += by
      await pass(2, [a, b])
      await pass(2, [b]) // a has died, with a lease that it took before
      await pass(30, [b])
      await world.run(world.now + HOUR, [b], 10 * MINUTE)
      assert.equal(new Set(world.arrived).size, world.arrived.length)
      assert.equal(
        world.received.reduce((sum, { report }) => sum + counts(report).successful, 0),
        total,
      )
    })

  test('a clock that is set ahead for some minutes closes no hours, gives no report up, and removes none', async (t) => {
    const world = new World(t, '2027-01-30T22:00')
    world.set({ send: 'hourly', spread: 0 })
    let ahead = 0
    const worker = world.worker('a', { clock: () => world.now - ahead })
    await world.sessions('fails.test', 1)
    world.answer = ({ domain }) => (domain === 'fails.test' ? failed() : { status: 'accepted', note: '250 ok' })
    await world.run('2027-01-30T23:30', [worker])
    for (const by of [40 * DAY, -40 * DAY]) {
      world.now += by
      ahead += by
      await world.run(world.now + 10 * MINUTE, [worker], MINUTE)
    }
    assert.equal((await world.entry('fails.test', '2027-01-30T22:00')).state, 'sending')
    await world.sessions('a.test', 1)
    await world.run('2027-01-31T01:10', [worker])
    assert.ok(world.arrived.includes('a.test 2027-01-30T23Z'), world.arrived.join(', '))
    assert.equal(world.log.filter((line) => line.includes('the clock was set ahead by 960 hours')).length, 1)
  })

  test('a clock that was behind, and is set right, keeps reports waiting for a quarter of an hour only', async (t) => {
    const world = new World(t, '2027-01-28T22:00')
    world.set({ spread: 0 })
    let ahead = 0
    const worker = world.worker('a', { clock: () => world.now - ahead })
    await world.sessions('a.test', 1)
    await world.run('2027-01-28T22:30', [worker])
    world.now += 2 * DAY
    ahead += 2 * DAY
    await world.run(world.now + 10 * MINUTE, [worker])
    assert.deepEqual(world.arrived, [])
    await world.run(world.now + 20 * MINUTE, [worker])
    assert.deepEqual(world.arrived, ['a.test 2027-01-28'])
  })

  test('R9: a domain with a section of its own has its own periods', async (t) => {
    const world = new World(t, '2027-01-31T22:00')
    world.set({
      domains: new Map([
        ['b.test', { send: 'hourly' }],
        ['c.test', { send: 'never' }],
      ]),
    })
    const worker = world.worker()
    await worker.look()
    for (const domain of ['a.test', 'b.test', 'c.test']) await world.sessions(domain, 1)
    await world.run('2027-02-01T06:00', [worker], 15 * MINUTE)
    assert.deepEqual(world.arrived, ['b.test 2027-01-31T22Z', 'a.test 2027-01-31'])
  })

  test('what arrives after its hour was closed is booked forward, into the next report', async (t) => {
    const world = new World(t, '2027-01-31T23:00')
    const worker = world.worker()
    await worker.look()
    await world.sessions('a.test', 1)
    await world.run('2027-02-01T00:06', [worker], 2 * MINUTE)
    await world.sessions('a.test', 10, { when: at('2027-01-31T23:30') })
    await world.run('2027-02-01T12:00', [worker], 30 * MINUTE)
    await world.sessions('a.test', 100)
    await world.run('2027-02-03T00:00', [worker], HOUR)
    assert.deepEqual(world.arrived, ['a.test 2027-01-31', 'a.test 2027-02-01'])
    assert.deepEqual(
      world.received.map(({ report }) => counts(report).successful),
      [1, 110],
    )
  })

  test('what arrives before its hour is closed is in the report, though the hour is over', async (t) => {
    const world = new World(t, '2027-01-31T23:00')
    const worker = world.worker()
    await world.run('2027-02-01T00:04', [worker], 2 * MINUTE)
    await world.sessions('a.test', 10, { when: at('2027-01-31T23:59') })
    await world.run('2027-02-01T06:00', [worker], 30 * MINUTE)
    assert.deepEqual(world.arrived, ['a.test 2027-01-31'])
  })

  test('reports of one period leave at times spread over the span, at most a third of the period, settled once', async (t) => {
    const spans = [
      ['daily', 4 * HOUR, 0.75, 3 * HOUR],
      ['daily', 20 * HOUR, 0.5, 4 * HOUR],
      ['hourly', 4 * HOUR, 0.5, 10 * MINUTE],
    ] as const
    for (const [send, spread, random, expected] of spans) {
      const world = new World(t, '2027-01-31T23:00')
      world.set({ send, spread })
      world.random = random
      const worker = world.worker()
      await worker.look()
      await world.sessions('a.test', 1)
      await world.run('2027-02-01T00:05', [worker], 5 * MINUTE)
      world.random = 0.999
      const start = send === 'daily' ? '2027-01-31T00:00' : '2027-01-31T23:00'
      assert.equal((await world.entry('a.test', start)).dueAt, at('2027-02-01T00:05') + expected)
      await world.run('2027-02-01T09:00', [world.worker('b')], 5 * MINUTE)
      assert.equal(world.received[0]?.at, at('2027-02-01T00:05') + expected)
    }
  })

  test('reports that are late are spread anew, from the time at which they are found', async (t) => {
    const world = new World(t, '2027-01-31T12:00')
    const worker = world.worker()
    await worker.look()
    await worker.idle()
    await world.sessions('a.test', 1)
    world.now = at('2027-02-10T12:00')
    await world.run(world.now, [worker])
    assert.equal((await world.entry('a.test', '2027-01-31T00:00')).dueAt, at('2027-02-10T14:00'))
  })

  test('never: nothing is scheduled, and nothing of that time is reported later', async (t) => {
    const world = new World(t, '2027-01-31T10:00')
    world.set({ send: 'never' })
    const worker = world.worker()
    for (let hour = 0; hour < 5; hour++) {
      await world.sessions('a.test', 1)
      await world.run(world.now + HOUR, [worker])
    }
    world.set({ send: 'daily' })
    await world.run('2027-01-31T20:00', [worker])
    await world.sessions('a.test', 100)
    await world.run('2027-02-01T08:00', [worker])
    assert.deepEqual(
      world.received.map(({ report }) => counts(report).successful),
      [100],
    )
  })

  test('without settings, since something is missing, nothing is closed, scheduled or sent; later nothing is missing', async (t) => {
    const world = new World(t, '2027-01-31T10:00')
    const worker = world.worker()
    await world.run('2027-01-31T11:00', [worker])
    const { settings } = world
    world.settings = undefined
    await world.sessions('a.test', 1)
    await world.run('2027-02-02T11:00', [worker], HOUR)
    assert.deepEqual(await world.entries(), [])
    world.settings = settings
    await world.run('2027-02-02T20:00', [worker], HOUR)
    assert.deepEqual(world.arrived, ['a.test 2027-01-31'])
  })

  test('of 2,000 domains most want no report, and one not-wanted one is kept of each', async (t) => {
    const world = new World(t, '2027-01-30T10:00')
    world.records = (domain) =>
      domain === 'd7.test' ? { ok: true, value: ['v=TLSRPTv1;rua=mailto:a@d7.test'] } : noRecord
    const worker = world.worker()
    for (let day = 0; day < 3; day++) {
      const policies = Array.from({ length: 2000 }, (_, index) => {
        const domain = `d${index}.test`
        return {
          hour: world.now,
          domain,
          policy: { type: 'no-policy-found', domain },
          failure: undefined,
          count: 1,
        } as const
      })
      await value(world.store.add({ writer: 'w', number: day + 1, policies, sessions: [] }, world.now))
      await world.run(world.now + DAY, [worker], 2 * HOUR)
    }
    assert.equal(world.received.length, 3)
    const kept = await value(world.ledger.list({ limit: 10_000 }))
    assert.equal(kept.length, 2002)
    assert.equal(kept.filter(({ state }) => state === 'not-wanted').length, 1999)
  })
})
