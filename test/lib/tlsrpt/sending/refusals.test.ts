import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { value } from './ledger-ground.ts'
import { at, DAY, failed, HOUR, record, World, type Received } from './world.ts'

const BEGUN = '2027-02-01T12:00'

/** A session each day for so many days; `answer` is asked with the day of February that a report is about. */
async function days(t: TestContext, count: number, answer: (day: number) => World['answer']): Promise<World> {
  const world = new World(t, BEGUN)
  const dayOf = ({ period }: Received): number => Number(/-(\d\d)(?:T|$| )/.exec(period)?.[1])
  world.answer = (received) => answer(dayOf(received))(received)
  const worker = world.worker()
  await worker.look()
  for (let day = 0; day < count; day++) {
    await world.sessions('a.test', 1)
    await world.run(at(BEGUN) + (day + 1) * DAY, [worker], 6 * HOUR)
  }
  return world
}

const refused: World['answer'] = () => failed('mx.a.test: 550 5.1.1 no such user', true)
const accepted: World['answer'] = () => ({ status: 'accepted', note: '250 ok' })
const tried = ({ received }: World): string[] => received.map(({ period }) => period.slice(0, 10))
const february = (...all: readonly number[]): string[] => all.map((day) => `2027-02-${String(day).padStart(2, '0')}`)

describe('a destination that refuses for good', () => {
  test('is asked once a week after three periods, until it takes a report again', async (t) => {
    const world = await days(t, 22, (day) => (day < 17 ? refused : accepted))
    assert.deepEqual(tried(world), february(1, 2, 3, 10, 17, 18, 19, 20, 21, 22))
  })

  test('says in the list of reports why it is not asked', async (t) => {
    const world = await days(t, 6, () => refused)
    const { state, destinations } = await world.entry('a.test', '2027-02-06T00:00')
    assert.equal(state, 'not-wanted')
    assert.equal(destinations[0]?.note, 'refused for good in 3 periods in a row: asked again for 2027-02-10')
  })

  test('is asked each time where it takes one in between, and where it fails in other ways', async (t) => {
    const now = await days(t, 8, (day) => (day % 3 === 0 ? accepted : refused))
    assert.deepEqual(tried(now), february(1, 2, 3, 4, 5, 6, 7, 8))
    const later = new Set(tried(await days(t, 8, () => () => failed('421 not now'))))
    assert.deepEqual([...later], february(1, 2, 3, 4, 5, 6, 7, 8))
  })

  test('keeps no other destination of a domain from its reports', async (t) => {
    const world = new World(t, BEGUN)
    world.records = () => record('mailto:gone@b.test', 'mailto:here@b.test')
    world.answer = ({ rua }) => (rua === 'mailto:gone@b.test' ? failed('550 no', true) : accepted({} as Received))
    const worker = world.worker()
    await worker.look()
    for (let day = 0; day < 6; day++) {
      await world.sessions('a.test', 1)
      await world.run(at(BEGUN) + (day + 1) * DAY, [worker], 6 * HOUR)
    }
    const of = (rua: string): number => world.received.filter((one) => one.rua === `mailto:${rua}@b.test`).length
    assert.deepEqual([of('gone'), of('here')], [3, 6])
  })

  test('is asked at once when somebody has it sent by the command', async (t) => {
    const world = await days(t, 6, () => refused)
    world.answer = accepted
    await value(world.ledger.requestSend({ domain: 'a.test', at: world.now }))
    await world.run(world.now + HOUR, [world.worker('b')])
    assert.equal((await world.entry('a.test', '2027-02-06T00:00')).state, 'sent')
  })
})
