import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createStoreClock } from '../../../../dist/lib/tlsrpt/sending/store-clock.js'
import type { Done } from '../../../../dist/lib/store/index.js'

/** A process that has run for `clock` milliseconds, and a store that answers what it is told to. */
function ground() {
  const state = { clock: 5000.5, answer: { ok: true, value: 1_000_000 } as Done<number>, takes: 20 }
  const now = (): Promise<Done<number>> => {
    state.clock += state.takes
    return Promise.resolve(state.answer)
  }
  return { state, time: createStoreClock({ now }, () => state.clock) }
}

describe("the store's clock", () => {
  test('goes on with the time of this process until the store is asked again', async () => {
    const { state, time } = ground()
    assert.equal(await time.sync(), true)
    assert.equal(time.now(), 1_000_020)
    state.clock += 2000
    assert.equal(time.now(), 1_002_020)
    state.answer = { ok: true, value: 900_000 }
    await time.sync()
    assert.equal(time.now(), 900_020)
  })

  test('is not known where the store does not answer', async () => {
    const { state, time } = ground()
    state.answer = { ok: false, text: 'down' }
    assert.equal(await time.sync(), false)
  })

  test('is not taken from an answer between which and its question the process was stopped', async () => {
    const { state, time } = ground()
    await time.sync()
    Object.assign(state, { takes: 3_600_000, answer: { ok: true, value: 4_600_020 } })
    assert.equal(await time.sync(), false)
    assert.equal(time.now(), 4_600_020) // not an hour later
  })
})
