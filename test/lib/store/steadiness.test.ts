import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSteadiness } from '../../../dist/lib/store/index.js'

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
    ask: createSteadiness(
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
