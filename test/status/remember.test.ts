import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { remembered } from '../../dist/status/data/remember.js'

/** Counts how often it is read, on a clock that stands still. */
function counting(t: TestContext, ok = true) {
  const clock = { now: 0 }
  t.mock.method(performance, 'now', () => clock.now)
  let reads = 0
  const read = remembered(1000, () => Promise.resolve({ ok, reads: ++reads }))
  return { clock, read: async () => (await read()).reads }
}

describe('what takes a while to be put together', () => {
  test('is put together once in the given time, however often it is asked for', async (t) => {
    const { clock, read } = counting(t)
    assert.deepEqual(await Promise.all([read(), read()]), [1, 1])
    clock.now = 999
    assert.equal(await read(), 1)
    clock.now = 1000
    assert.equal(await read(), 2)
  })

  test('is tried again at once where it has failed', async (t) => {
    const { read } = counting(t, false)
    assert.deepEqual([await read(), await read()], [1, 2])
  })
})
