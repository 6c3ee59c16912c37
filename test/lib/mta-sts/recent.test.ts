import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRecentMap } from '../../../dist/lib/mta-sts/recent.js'

describe('a map of what is recent', () => {
  test('forgets what was asked for longest ago', () => {
    const map = createRecentMap<number>({ limit: 2 })
    map.set('a', 1)
    map.set('b', 2)
    map.get('a')
    map.set('c', 3)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3])
  })
  test('weighs what it holds, also when it is replaced or deleted', () => {
    const map = createRecentMap<string>({ limit: 10, weigh: (value) => value.length })
    map.set('a', 'x'.repeat(6))
    map.set('a', 'x'.repeat(5))
    map.set('b', 'x'.repeat(5))
    assert.equal([...map.values()].length, 2)
    map.delete('a')
    map.set('c', 'x'.repeat(5))
    assert.equal([...map.values()].length, 2)
    map.set('d', 'x')
    assert.deepEqual([map.get('b'), map.get('d')], [undefined, 'x'])
  })
  test('holds nothing that is too heavy by itself', () => {
    const map = createRecentMap<string>({ limit: 3, weigh: (value) => value.length })
    map.set('a', 'xxxx')
    assert.equal(map.get('a'), undefined)
    map.set('b', 'xxx')
    assert.equal(map.get('b'), 'xxx')
  })
})
