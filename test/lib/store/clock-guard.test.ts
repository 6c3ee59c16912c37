import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLeapWatch, createClockGuard } from '../../../dist/lib/store/index.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR

function clocks(): { pass: (milliseconds: number) => void; jump: (milliseconds: number) => void; ask: () => boolean } {
  let [wall, steady] = [0, 0]
  return {
    pass: (milliseconds) => {
      wall += milliseconds
      steady += milliseconds
    },
    jump: (milliseconds) => {
      wall += milliseconds
    },
    ask: createClockGuard(
      () => wall,
      () => steady,
    ),
  }
}

describe('a clock is believed', () => {
  test('once a day, after a day', () => {
    const { pass, ask } = clocks()
    const answers = Array.from({ length: 72 }, () => {
      pass(HOUR)
      return ask()
    })
    assert.deepEqual(
      answers.flatMap((answer, index) => (answer ? [index + 1] : [])),
      [24, 48, 72],
    )
  })
  for (const [why, by] of [
    ['ahead', 400 * DAY],
    ['back', -400 * DAY],
  ] as const) {
    test(`only a day after it was set ${why}`, () => {
      const { pass, jump, ask } = clocks()
      pass(23 * HOUR)
      jump(by)
      assert.equal(ask(), false)
      pass(2 * HOUR)
      assert.equal(ask(), false)
      pass(DAY)
      assert.equal(ask(), true)
    })
  }
})

describe('a clock that was set ahead', () => {
  const MINUTE = 60_000
  function watched(): {
    set: (by: number) => void
    pass: (milliseconds: number) => void
    ask: () => boolean
    leaps: number[]
  } {
    let [wall, steady] = [0, 0]
    const leaps: number[] = []
    const ask = createLeapWatch(
      () => wall,
      () => steady,
      (by) => leaps.push(by),
    )
    return {
      set: (by) => {
        wall += by
      },
      pass: (milliseconds) => {
        wall += milliseconds
        steady += milliseconds
      },
      ask,
      leaps,
    }
  }

  test('is doubted for a quarter of an hour, which is told once', () => {
    const { set, pass, ask, leaps } = watched()
    pass(DAY)
    assert.equal(ask(), false)
    set(HOUR)
    assert.equal(ask(), true)
    pass(15 * MINUTE - 1)
    assert.equal(ask(), true)
    pass(1)
    assert.equal(ask(), false)
    assert.deepEqual(leaps, [HOUR])
  })

  test('is doubted no more when it is set back', () => {
    const { set, ask } = watched()
    set(400 * DAY)
    assert.equal(ask(), true)
    set(-400 * DAY)
    assert.equal(ask(), false)
  })

  test('by less than an hour is believed, however often', () => {
    const { set, pass, ask, leaps } = watched()
    for (let times = 0; times < 5; times++) {
      set(HOUR - 1)
      assert.equal(ask(), false)
      pass(MINUTE)
    }
    assert.deepEqual(leaps, [])
  })
})
