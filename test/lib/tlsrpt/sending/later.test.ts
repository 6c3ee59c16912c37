import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { value } from './ledger-ground.ts'
import { at, due, failed, HOUR, noRecord, record, World } from './world.ts'

const START = '2027-01-31T00:00'

const begun = '2027-01-31T23:00'

describe('a receiver that names a time', () => {
  test('RFC 9110 10.2.3: is not asked again before', async (t) => {
    const world = new World(t, begun)
    world.answer = () => ({ status: 'failed', isFinal: false, note: 'HTTP status 429', retryAfter: 3 * HOUR })
    await world.run('2027-02-01T09:00', [await due(world)])
    const [first, second] = world.received
    assert.ok(first !== undefined && second !== undefined)
    assert.ok(second.at - first.at >= 3 * HOUR)
  })
})

describe("what Haraka's queue says", () => {
  const key = { domain: 'a.test', start: at(START) }
  const rua = 'mailto:tls@a.test'

  test('queued is not accepted; delivered is', async (t) => {
    const world = new World(t, begun)
    world.answer = () => ({ status: 'queued', note: 'queued' })
    const worker = await due(world)
    await world.run('2027-02-01T06:00', [worker])
    assert.equal((await world.entry('a.test', START)).state, 'sending')
    await worker.deferred(key, rua, '451 later')
    assert.equal((await world.entry('a.test', START)).destinations[0]?.note, '451 later')
    await world.worker('b').delivered(key, rua, '250 ok')
    const { state, dueAt, destinations } = await world.entry('a.test', START)
    assert.deepEqual([state, dueAt, destinations[0]?.note], ['sent', Infinity, '250 ok'])
    assert.equal(world.received.length, 1)
  })

  test('bounced is failed for good, and says so in the log', async (t) => {
    const world = new World(t, begun)
    world.answer = () => ({ status: 'queued', note: 'queued' })
    const worker = await due(world)
    await world.run('2027-02-01T06:00', [worker])
    await worker.bounced(key, rua, '550 no such user', true)
    assert.equal((await world.entry('a.test', START)).state, 'given-up')
    assert.match(world.log.join('\n'), /^warn .* given up: mailto:tls@a\.test .*550 no such user/m)
    await worker.delivered(key, rua, '250 ok') // whatever came first, it has arrived
    assert.equal((await world.entry('a.test', START)).state, 'sent')
    await worker.bounced(key, rua, '550 no such user', true)
    assert.equal((await world.entry('a.test', START)).state, 'sent')
  })

  test('nothing for as long as reports are retried: the report is given up, and not sent again', async (t) => {
    const world = new World(t, begun)
    world.answer = () => ({ status: 'queued', note: 'queued' })
    const worker = await due(world)
    await world.run('2027-02-03T06:00', [worker], HOUR)
    assert.equal(world.received.length, 1)
    const { state, destinations } = await world.entry('a.test', START)
    assert.equal(state, 'given-up')
    assert.match(destinations[0]?.note ?? '', /has not said/)
  })

  test('of a mail that is delivered before it is known to be queued: it is accepted', async (t) => {
    const world = new World(t, begun)
    const worker = await due(world)
    world.answer = async () => {
      await worker.delivered(key, rua, '250 ok')
      return { status: 'queued', note: 'queued' }
    }
    await world.run('2027-02-01T06:00', [worker])
    const { state, dueAt } = await world.entry('a.test', START)
    assert.deepEqual([state, dueAt], ['sent', Infinity])
  })

  test('of a report that is long forgotten is of no consequence', async (t) => {
    const world = new World(t, begun)
    await world.worker().delivered({ domain: 'gone.test', start: 0 }, rua, '250')
    assert.deepEqual(await world.entries(), [])
  })
})

describe('what the command asks for', () => {
  test('a report that waits for its time goes now', async (t) => {
    const world = new World(t, begun)
    const worker = await due(world)
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run(world.now + 4000, [worker], 2000)
    assert.deepEqual(world.arrived, ['a.test 2027-01-31'])
    assert.match(world.log.join('\n'), /^notice TLS reports on a\.test were to be sent now: 1 of 1 are due/m)
  })

  test('one that waits for its next attempt is tried now', async (t) => {
    const world = new World(t, begun)
    world.answer = () => failed()
    const worker = await due(world)
    await world.run('2027-02-01T12:00', [worker])
    const before = world.received.length
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run(world.now + 4000, [worker], 2000)
    assert.equal(world.received.length, before + 1)
  })

  test('one that was given up is tried again, with the same bytes and the whole time for retries', async (t) => {
    const world = new World(t, begun)
    world.answer = () => failed('550', true)
    const worker = await due(world)
    await world.run('2027-02-05T00:00', [worker], HOUR)
    world.answer = () => failed()
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run('2027-02-05T12:00', [worker])
    assert.ok(world.received.length > 4)
    assert.equal(new Set(world.received.map(({ frozen, reportId }) => frozen + reportId)).size, 1)
  })

  test('one that nobody wanted is looked up again', async (t) => {
    const world = new World(t, begun)
    world.records = () => noRecord
    const worker = await due(world)
    await world.run('2027-02-01T12:00', [worker])
    world.records = () => record('https://a.test/')
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run(world.now + 4000, [worker], 2000)
    assert.deepEqual(world.arrived, ['a.test 2027-01-31'])
  })

  test('one that was sent is not sent again', async (t) => {
    const world = new World(t, begun)
    const worker = await due(world)
    await world.run('2027-02-01T12:00', [worker])
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run(world.now + HOUR, [worker])
    assert.equal(world.received.length, 1)
  })
})
