import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCache } from '../../../dist/lib/dns/cache.js'

describe('the cache', () => {
  test('K3: keeps for the time given and not a millisecond longer', () => {
    const cache = createCache<string>(10)
    cache.set('a', 'A', 1000, 1)
    assert.equal(cache.get('a', 999)?.value, 'A')
    assert.equal(cache.get('a', 1000), undefined)
    assert.equal(cache.count, 0)
  })

  test('what was used least recently makes room', () => {
    const cache = createCache<number>(2)
    cache.set('a', 1, 9, 1)
    cache.set('b', 2, 9, 1)
    cache.get('a', 0)
    cache.set('c', 3, 9, 1)
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => cache.get(key, 0)?.value),
      [1, undefined, 3],
    )
  })

  test('10,000 lookups leave no more than its capacity', () => {
    const cache = createCache<number>(1000)
    for (let n = 0; n < 10_000; n++) cache.set(`${n}`, n, 9, 100)
    assert.equal(cache.count, 1000)
    assert.equal(cache.get('9999', 0)?.value, 9999)
    assert.equal(cache.get('8999', 0), undefined)
  })

  test('few large answers take no more memory than many usual ones', () => {
    const cache = createCache<number>(100)
    for (let n = 0; n < 100; n++) cache.set(`${n}`, n, 9, 65_535)
    assert.equal(cache.count, 3)
    for (let n = 0; n < 100; n++) cache.set(`${n}`, n, 9, 100)
    assert.equal(cache.count, 100, 'the memory of what was replaced and removed is free again')
  })

  test('one that is larger than all of it is not kept', () => {
    const cache = createCache<number>(1)
    cache.set('a', 1, 9, 65_535)
    assert.equal(cache.count, 0)
  })

  test('one of no octets is kept, too', () => {
    const cache = createCache<number>(1)
    cache.set('a', 1, 9, 0)
    assert.equal(cache.get('a', 0)?.value, 1)
  })

  test('of no capacity keeps nothing', () => {
    const cache = createCache<number>(0)
    cache.set('a', 1, 9, 0)
    assert.equal(cache.get('a', 0), undefined)
  })

  test('keeps nothing after it was cleared', () => {
    const cache = createCache<number>(10)
    cache.set('a', 1, 9, 1)
    cache.clear()
    assert.equal(cache.get('a', 0), undefined)
  })
})
