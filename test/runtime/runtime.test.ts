import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSharing } from '../../dist/runtime/runtime.js'

/** A sharing of things that are known by their numbers, and what it closes. */
function numbered() {
  const closed: number[] = []
  let made = 0
  const share = createSharing<number>((thing) => closed.push(thing))
  return { closed, use: (key: unknown) => share(key, () => ++made) }
}

test('what is configured alike is made once, and closed once, behind the last of its users', () => {
  const { closed, use } = numbered()
  const first = use({ path: 'a', list: [1] })
  const second = use({ path: 'a', list: [1] })
  assert.deepEqual([first.thing, second.thing], [1, 1])
  first.release()
  assert.deepEqual(closed, [])
  second.release()
  assert.deepEqual(closed, [1])
})

test('what is configured otherwise is another one', () => {
  const { closed, use } = numbered()
  const [first, second] = [use({ path: 'a' }), use({ path: 'b' })]
  assert.deepEqual([first.thing, second.thing], [1, 2])
  second.release()
  assert.deepEqual(closed, [2])
})

test('what was closed is made anew', () => {
  const { use } = numbered()
  use('a').release()
  assert.equal(use('a').thing, 2)
})
