import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHearing } from '../../dist/enforce/hearing.js'

const MINUTE = 60_000

describe('what a server says behind the hand-over', () => {
  test('may be as large as any reply, and no larger', () => {
    const { hear } = createHearing(() => 0)
    for (let line = 0; line < 64; line++) assert.equal(hear(1024), 'fine')
    assert.equal(hear(1), 'too-much')
    assert.equal(hear(1), 'over', 'it is only told once')
  })

  test('may take as long as any reply, but not for ever, though something comes all the time', () => {
    let now = 0
    const { hear } = createHearing(() => now)
    for (; now <= 10 * MINUTE; now += MINUTE) assert.equal(hear(1), 'fine')
    assert.equal(hear(1), 'too-much')
  })

  test('is measured anew when it answers something else', () => {
    let now = 0
    const { hear, begin } = createHearing(() => now)
    for (let command = 0; command < 100; command++) {
      begin()
      now += 9 * MINUTE
      assert.equal(hear(60_000), 'fine')
    }
  })
})
