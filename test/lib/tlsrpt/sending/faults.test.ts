import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { runs } from '../../../support/runs.ts'
import { FAULTS, withFault, type Fault, type Steps } from './faults.ts'
import { at, counts, failed, MINUTE, noRecord, record, World } from './world.ts'

/**
 * Two hours of three domains, reported hourly: one that wants no report, one whose first attempt fails, one with two destinations.
 */
async function play(t: TestContext, fault: Fault, number: number): Promise<{ world: World; steps: Steps }> {
  const world = new World(t, '2027-01-31T22:55')
  world.set({ send: 'hourly', spread: 0 })
  world.records = (domain) =>
    domain === 'none.test'
      ? noRecord
      : domain === 'two.test'
        ? record('mailto:a@two.test', 'https://two.test/')
        : record('mailto:a@one.test')
  const seen = new Set<string>()
  world.answer = ({ domain, period }) => {
    if (domain !== 'one.test' || seen.has(period)) return { status: 'accepted', note: '250 ok' }
    seen.add(period)
    return failed()
  }
  const { parts, steps } = withFault(world.parts('a'), fault, number)
  const a = world.worker('a', parts)
  const b = world.worker('b')
  let isDead = false
  void steps.death.then(() => (isDead = true))
  const work = async (): Promise<void> => {
    const worker = isDead ? b : a
    await Promise.race([worker.look().then(worker.idle), ...(isDead ? [] : [steps.death])])
  }

  const first = world.worker('first') // the timetables begin before the faults do
  await first.look()
  await first.stop()
  for (; world.now < at('2027-02-01T01:45'); world.now += 5 * MINUTE) {
    const isHourOf = world.now === at('2027-01-31T23:00') || world.now === at('2027-02-01T00:00')
    if (isHourOf) for (const domain of ['one.test', 'two.test', 'none.test']) await world.sessions(domain, 5)
    await work()
  }
  return { world, steps }
}

/** None is lost, and a doubt makes one duplicate of a destination's report at most, which is known for one. */
function judge(world: World, steps: Steps, fault: Fault): void {
  const isDoubt = fault.startsWith('dies') || (fault === 'lost answer' && steps.at === 'transmit')
  const told = `${fault} at ${String(steps.at)}: ${world.arrived.join(' | ')}`
  for (const period of ['2027-01-31T23Z', '2027-02-01T00Z']) {
    const those = Map.groupBy(
      world.received.filter((received) => received.period === period),
      ({ domain }) => domain,
    )
    assert.deepEqual([...those.keys()].toSorted(), ['one.test', 'two.test'], told)
    for (const [domain, attempts] of those) {
      assert.equal(new Set(attempts.map(({ reportId, frozen }) => reportId + frozen)).size, 1, told)
      assert.ok(attempts.every(({ report }) => counts(report).successful === 5))
      const failures = domain === 'one.test' ? 1 : 0
      for (const [, ofOne] of Map.groupBy(attempts, ({ rua }) => rua))
        assert.ok(ofOne.length - failures <= (isDoubt ? 2 : 1), told)
    }
  }
}

describe('whatever fails, and wherever a worker ends', () => {
  for (const fault of FAULTS) {
    const name = {
      refused: 'a call that is refused',
      'lost answer': 'a call that is done but seems to be refused',
      'dies before': 'a worker that ends before a call',
      'dies after': 'a worker that ends after a call',
    }[fault]
    test(`each report is sent, under one id, with the same bytes: ${name}`, async (t) => {
      const places = new Set<string>()
      const every = Math.max(1, Math.round(10 / runs(1, 3)))
      for (let number = 0; ; number += every) {
        const { world, steps } = await play(t, fault, number)
        if (steps.at === undefined) break
        places.add(steps.at)
        judge(world, steps, fault)
        assert.deepEqual(
          (await world.entries()).map(({ state }) => state).toSorted(),
          ['not-wanted', 'sent', 'sent', 'sent', 'sent'],
          `${fault} at ${steps.at}`,
        )
        world.end()
      }
      t.diagnostic([...places].join(' '))
    })
  }
})
