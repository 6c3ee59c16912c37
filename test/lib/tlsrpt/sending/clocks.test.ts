import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { value } from './ledger-ground.ts'
import { at, counts, DAY, MINUTE, World } from './world.ts'

describe('what a wrong clock has written down', () => {
  for (const send of ['hourly', 'daily'] as const)
    test(`a clock that is 40 days ahead at a start ends no ${send} reports once it is set back, and CRIT says so`, async (t) => {
      const world = new World(t, '2027-01-30T22:00')
      world.set({ send })
      let ahead = 40 * DAY
      world.now += ahead
      const worker = world.worker('a', { clock: () => world.now - ahead })
      await world.run(world.now + 2 * MINUTE, [worker], MINUTE)
      world.now -= ahead
      ahead = 0
      await world.run(world.now + 10 * MINUTE, [worker], MINUTE)
      await world.sessions('a.test', 3)
      await world.run('2027-02-01T12:00', [worker], 10 * MINUTE)
      assert.deepEqual(world.arrived, [send === 'hourly' ? 'a.test 2027-01-30T22Z' : 'a.test 2027-01-30'])
      assert.deepEqual(
        world.received.map(({ report }) => counts(report).successful),
        [3],
      )
      const said = world.log.filter((line) => line.startsWith('crit the clock was wrong'))
      assert.equal(said.length, 2, world.log.join('\n')) // the hours, the timetable; each once
    })

  test('sessions that are written before hours closed by a wrong clock are open again keep their hour', async (t) => {
    const world = new World(t, '2027-01-30T22:00')
    await value(world.store.close(world.now + 40 * DAY))
    await world.sessions('a.test', 3)
    const day = { start: at('2027-01-30T00:00'), end: at('2027-01-31T00:00') }
    assert.deepEqual(await value(world.store.domainsOf(day, '', 10)), ['a.test'])
  })

  test('a report whose time was settled by a clock that was 40 days ahead gets a proper one', async (t) => {
    const world = new World(t, '2027-01-30T22:00')
    const worker = world.worker()
    await world.sessions('a.test', 3)
    const lease = await value(world.ledger.takeLease('wrong', 1))
    assert.ok(lease)
    const day = { start: at('2027-01-30T00:00'), end: at('2027-01-31T00:00') }
    const dueAt = world.now + 40 * DAY
    await value(world.ledger.schedule(lease, [{ domain: 'a.test', ...day, reportId: 'r', dueAt }]))
    await world.run('2027-01-30T22:30', [worker])
    assert.equal((await world.entry('a.test', '2027-01-30T00:00')).dueAt, day.end + 10 * MINUTE)
    assert.equal(world.log.filter((line) => line.startsWith('crit the clock was wrong: 1 TLS reports')).length, 1)
  })

  test('an hourly schedule that began in 1970 goes on at once', async (t) => {
    const world = new World(t, '2027-01-31T22:00')
    world.set({ send: 'hourly', spread: 0 })
    const lease = await value(world.ledger.takeLease('wrong', 1))
    assert.ok(lease)
    await value(world.ledger.saveTimetables(lease, [{ group: '', through: 0, length: 'hourly' }]))
    const saved = t.mock.method(world.ledger, 'saveTimetables')
    const worker = world.worker()
    await world.sessions('a.test', 1)
    await world.run('2027-01-31T23:20', [worker])
    assert.deepEqual(world.arrived, ['a.test 2027-01-31T22Z'])
    assert.ok(saved.mock.callCount() < 800, String(saved.mock.callCount())) // a month has 744 hours
  })

  test('a clock that is behind for the first minutes of a start begins nothing anew', async (t) => {
    const world = new World(t, '2027-01-31T22:00')
    await world.run('2027-01-31T23:30', [world.worker()])
    const before = await value(world.ledger.timetables())
    const right = world.now
    for (const wrong of [0, right - 40 * DAY]) {
      world.now = wrong
      await world.run(wrong + 2 * MINUTE, [world.worker('b')], MINUTE)
    }
    assert.deepEqual(await value(world.ledger.timetables()), before)
    assert.equal(await value(world.store.close(0)), at('2027-01-31T23:00'))
  })
})
