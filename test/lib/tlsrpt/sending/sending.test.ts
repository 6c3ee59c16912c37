import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { value } from './ledger-ground.ts'
import { at, DAY, due, failed, HOUR, MINUTE, noRecord, record, World } from './world.ts'

const START = '2027-01-31T00:00'

const begun = '2027-01-31T23:00'

describe('who wants a report', () => {
  const notWanted: [why: string, change: (world: World) => void, note: RegExp][] = [
    ['R3: without a TLSRPT record', (world) => (world.records = () => noRecord), /^no TLSRPT record$/],
    [
      'R3: with two records',
      (world) =>
        (world.records = () => ({
          ok: true,
          value: ['v=TLSRPTv1; rua=mailto:a@b.test', 'v=TLSRPTv1; rua=mailto:c@b.test'],
        })),
      /^2 TLSRPT records$/,
    ],
    [
      'R4: with a rua of unknown schemes only',
      (world) => (world.records = () => record('ftp://b.test/')),
      /neither mailto nor https/,
    ],
    [
      'R4: with an address literal',
      (world) => (world.records = () => record('mailto:a@[192.0.2.1]', 'https://192.0.2.1/')),
      /mailto:a@.*an address literal.*https:.*an address literal/s,
    ],
    [
      'with control characters',
      (world) => (world.records = () => record('mailto:a%0D%0Ab@b.test')),
      /control characters/,
    ],
    ['suppressed by name', (world) => world.set({ suppress: ['a.test'] }), /^suppressed: a\.test$/],
    ['suppressed with all below its parent', (world) => world.set({ suppress: ['*.test'] }), /^suppressed: \*\.test$/],
    [
      'R5: all of whose destinations are suppressed',
      (world) => {
        world.records = () => record('mailto:x@b.test')
        world.set({ suppress: ['b.test'] })
      },
      /^$/,
    ],
    ['without failures, with when = failures', (world) => world.set({ when: 'failures' }), /when = failures/],
    [
      'without failures, with when = failures in its section',
      (world) => world.set({ domains: new Map([['a.test', { when: 'failures' }]]) }),
      /when = failures/,
    ],
  ]
  for (const [why, change, note] of notWanted)
    test(`none is sent to a domain ${why}`, async (t) => {
      const world = new World(t, begun)
      const worker = await due(world)
      change(world)
      await world.run('2027-02-01T06:00', [worker])
      assert.deepEqual(world.arrived, [])
      const entry = await world.entry('a.test', START)
      assert.equal(entry.state, 'not-wanted')
      assert.equal(entry.dueAt, Infinity)
      assert.match(entry.note ?? '', note)
      assert.equal(await value(world.ledger.frozen(entry)), undefined)
    })

  test('nobody is asked for the record of a domain without failures where only failures are reported', async (t) => {
    const world = new World(t, begun)
    world.records = () => assert.fail('looked up')
    const worker = await due(world)
    world.set({ when: 'failures' })
    await world.run('2027-02-01T06:00', [worker])
    assert.equal((await world.entry('a.test', START)).state, 'not-wanted')
  })

  test('a relay that is named by its address is not looked up', async (t) => {
    const world = new World(t, begun)
    world.records = () => assert.fail('looked up')
    const worker = world.worker()
    await worker.look()
    await world.sessions('192.0.2.1', 1)
    await world.run('2027-02-01T06:00', [worker])
    assert.equal((await world.entry('192.0.2.1', START)).state, 'not-wanted')
  })

  test('failures are reported with when = failures', async (t) => {
    const world = new World(t, begun)
    world.set({ when: 'failures' })
    await world.sessions('a.test', 1, { failed: true })
    const worker = await due(world)
    await world.run('2027-02-01T06:00', [worker])
    assert.deepEqual(world.arrived, ['a.test 2027-01-31'])
  })

  test('R4: what is of no use beside a good rua is a note of the report', async (t) => {
    const world = new World(t, begun)
    world.records = () => record('ftp://b.test/', 'mailto:good@b.test', 'https://[2001:db8::1]/')
    const worker = await due(world)
    await world.run('2027-02-01T06:00', [worker])
    assert.deepEqual(
      world.received.map(({ rua }) => rua),
      ['mailto:good@b.test'],
    )
    const { note } = await world.entry('a.test', START)
    assert.match(note ?? '', /ftp.*neither mailto nor https/)
    assert.match(note ?? '', /address literal/)
  })

  test('a note is bounded, however much there is to say of a record', async (t) => {
    const world = new World(t, begun)
    const useless = Array.from({ length: 9 }, (_, index) => `ftp://${String(index).repeat(200)}.test/`)
    world.records = () => record('mailto:good@b.test', ...useless)
    await world.run('2027-02-01T06:00', [await due(world)])
    const { note } = await world.entry('a.test', START)
    assert.equal(note?.length, 500)
  })

  test('the record is looked up when the report is due, not before', async (t) => {
    const world = new World(t, begun)
    const lookups: number[] = []
    world.records = () => {
      lookups.push(world.now)
      return record('mailto:a@a.test')
    }
    const worker = await due(world)
    await world.run('2027-02-01T06:00', [worker])
    assert.deepEqual(lookups, [at('2027-02-01T02:05') + 5 * MINUTE]) // the first look after it
  })

  test('name servers that fail are asked again, less and less often, and given up after retry-for', async (t) => {
    const world = new World(t, begun)
    const lookups: number[] = []
    world.records = () => {
      lookups.push(world.now)
      return { ok: false, text: 'SERVFAIL' }
    }
    const worker = await due(world)
    await world.run('2027-02-01T03:00', [worker], MINUTE)
    assert.ok(lookups.length >= 3 && lookups.length <= 5, String(lookups.length))
    await world.run('2027-02-03T00:00', [worker], 10 * MINUTE)
    assert.ok(lookups.length <= 14, String(lookups.length))
    assert.ok((lookups.at(-1) ?? 0) - (lookups[0] ?? 0) < DAY)
    const entry = await world.entry('a.test', START)
    assert.equal(entry.state, 'given-up')
    assert.match(entry.note ?? '', /SERVFAIL/)
    assert.match(world.log.join('\n'), /^warn TLS report on a\.test for 2027-01-31 given up: .*SERVFAIL/m)
  })

  test('the report goes when name servers answer again, and has its whole time for retries', async (t) => {
    const world = new World(t, begun)
    world.records = () => ({ ok: false, text: 'timeout' })
    const worker = await due(world)
    await world.run('2027-02-01T20:00', [worker])
    world.records = () => record('mailto:a@a.test')
    world.answer = () => failed()
    await world.run('2027-02-04T00:00', [worker])
    const times = world.received.map((received) => received.at)
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 12 * HOUR)
  })
})

describe('destinations', () => {
  test('R6: each is tried; the report is sent when one has accepted it', async (t) => {
    const world = new World(t, begun)
    world.records = () => record('mailto:a@a.test', 'https://a.test/x', 'mailto:b@b.test')
    world.answer = ({ rua }) => (rua === 'https://a.test/x' ? { status: 'accepted', note: '202' } : failed())
    const worker = await due(world)
    await world.run('2027-02-02T06:00', [worker])
    assert.deepEqual(world.received.map(({ rua }) => rua).toSorted(), [
      'https://a.test/x',
      'mailto:a@a.test',
      'mailto:b@b.test',
    ])
    assert.equal(new Set(world.received.map(({ frozen }) => frozen)).size, 1)
    const { state, dueAt, destinations } = await world.entry('a.test', START)
    assert.deepEqual([state, dueAt], ['sent', Infinity])
    assert.deepEqual(
      destinations.map((one) => one.state),
      ['failed', 'accepted', 'failed'],
    )
    assert.match(destinations[0]?.note ?? '', /^421 not now; not tried again, since another destination/)
  })

  test('R24: what fails is tried again with more and more time in between, for retry-for, then given up with a warning', async (t) => {
    const world = new World(t, begun)
    world.answer = () => failed('421 not now\u0007')
    const worker = await due(world)
    await world.run('2027-02-03T06:00', [worker], MINUTE)
    const times = world.received.map((received) => received.at)
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / MINUTE)
    assert.deepEqual(gaps.map(Math.round), [5, 10, 20, 40, 80, 160, 320, 360, 360])
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < DAY)
    assert.equal(new Set(world.received.map(({ frozen, reportId }) => frozen + reportId)).size, 1)
    const { state, destinations } = await world.entry('a.test', START)
    assert.equal(state, 'given-up')
    assert.equal(destinations[0]?.attempts, 10)
    assert.match(
      world.log.join('\n'),
      /^warn TLS report on a\.test for 2027-01-31 given up: mailto:tls@a\.test \(10 attempts\): 421/m,
    )
  })

  test('R24: retries go on across restarts, with the same bytes', async (t) => {
    const world = new World(t, begun)
    world.answer = () => failed()
    const worker = await due(world)
    await world.run('2027-02-01T03:00', [worker])
    await worker.stop()
    const before = world.received.length
    assert.ok(before > 1)
    world.set({ organization: 'Another', contact: 'x@other.example', submitter: 'other.example' })
    await world.sessions('a.test', 100, { when: at(begun) })
    world.answer = () => ({ status: 'accepted', note: '250' })
    await world.run('2027-02-01T23:00', [world.worker('b')])
    assert.equal(world.received.length, before + 1)
    assert.equal(new Set(world.received.map(({ frozen, reportId }) => frozen + reportId)).size, 1)
  })

  test('one that has failed for good is not tried again; the others are', async (t) => {
    const world = new World(t, begun)
    world.records = () => record('mailto:a@a.test', 'mailto:b@a.test')
    world.answer = ({ rua }) => failed('550 no', rua === 'mailto:a@a.test')
    const worker = await due(world)
    await world.run('2027-02-01T03:00', [worker])
    assert.equal(world.received.filter(({ rua }) => rua === 'mailto:a@a.test').length, 1)
    assert.ok(world.received.length > 2)
    assert.equal((await world.entry('a.test', START)).state, 'sending')
  })

  test('all that have failed for good give the report up at once', async (t) => {
    const world = new World(t, begun)
    world.answer = () => failed('550 no', true)
    const worker = await due(world)
    await world.run('2027-02-02T03:00', [worker])
    assert.equal(world.received.length, 1)
    assert.equal((await world.entry('a.test', START)).state, 'given-up')
  })

  test('an attempt that throws, by a mistake of ours, is one that has failed', async (t) => {
    const world = new World(t, begun)
    world.answer = () => {
      throw new Error('oops')
    }
    const worker = await due(world)
    await world.run('2027-02-01T02:30', [worker])
    assert.equal((await world.entry('a.test', START)).destinations[0]?.note, 'oops')
  })

  test('one that is suppressed is skipped; suppressed while it is retried, it is tried no more', async (t) => {
    const world = new World(t, begun)
    world.records = () => record('mailto:a@a.test', 'mailto:b@b.test', 'https://h.b.test/')
    world.set({ suppress: ['*.b.test'] })
    world.answer = () => failed()
    const worker = await due(world)
    await value(world.ledger.suppress('b@b.test', world.now))
    await world.run('2027-02-01T02:30', [worker])
    assert.deepEqual([...new Set(world.received.map(({ rua }) => rua))], ['mailto:a@a.test'])
    await value(world.ledger.suppress('a.test', world.now))
    await world.run('2027-02-01T05:30', [worker])
    const { state, destinations } = await world.entry('a.test', START)
    assert.equal(state, 'given-up')
    assert.deepEqual(
      destinations.map((one) => one.state),
      ['failed', 'skipped', 'skipped'],
    )
    assert.equal(destinations[1]?.note, 'suppressed: b@b.test')
  })
})
