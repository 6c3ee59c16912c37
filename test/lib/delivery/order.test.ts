import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sortByPreference } from '../../../dist/lib/delivery/plan.js'

describe('MX hosts in order', () => {
  const record = fc.record({ preference: fc.nat(20), exchange: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f') })

  test('D19: by preference, each once, at its best, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 30 }),
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1 }),
        (records, chances) => {
          let turn = 0
          const sorted = sortByPreference(records, () => chances[turn++ % chances.length] ?? 0)
          const best = (name: string) =>
            Math.min(...records.filter(({ exchange }) => exchange === name).map(({ preference }) => preference))
          assert.deepEqual(
            new Set(sorted),
            new Set(records.map(({ exchange }) => exchange).filter((name) => name !== '')),
          )
          assert.equal(new Set(sorted).size, sorted.length)
          for (const [index, name] of sorted.entries())
            assert.ok(index === 0 || best(sorted[index - 1] ?? '') <= best(name))
        },
      ),
    )
  })

  test('RFC 5321 5.1: equal ones are shuffled', () => {
    const records = ['a', 'b'].map((exchange) => ({ preference: 10, exchange }))
    const first = new Set([0.1, 0.9].map((start) => sortByPreference(records, alternating(start))[0]))
    assert.deepEqual([...first].sort(), ['a', 'b'])
  })

  test('32 at most, the best ones', () => {
    const records = Array.from({ length: 1000 }, (_, index) => ({ preference: 1000 - index, exchange: `mx${index}` }))
    const sorted = sortByPreference(records, () => 0)
    assert.deepEqual([sorted.length, sorted[0]], [32, 'mx999'])
  })
})

function alternating(start: number): () => number {
  let value = 1 - start
  return () => (value = 1 - value)
}
