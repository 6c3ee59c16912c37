import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachEntry, type Paging } from '../../dist/runtime/paging.js'

/** The numbers from 1 to `last`, and the limits that pages were asked for. */
function numbers(last: number): { readonly read: Paging<number>['read']; readonly limits: number[] } {
  const limits: number[] = []
  const read: Paging<number>['read'] = (after = 0, limit) => {
    limits.push(limit)
    const length = Math.min(limit, last - after)
    return Promise.resolve({ ok: true, value: Array.from({ length }, (_, index) => after + index + 1) })
  }
  return { read, limits }
}

describe('a long list', () => {
  test('is read page by page, each behind the one before, until one is not full', async () => {
    const { read, limits } = numbers(5)
    const seen: number[] = []
    assert.deepEqual(await eachEntry({ size: 2, most: 100, read }, (number) => seen.push(number)), {
      ok: true,
      value: 5,
    })
    assert.deepEqual(
      [seen, limits],
      [
        [1, 2, 3, 4, 5],
        [2, 2, 2],
      ],
    )
  })

  test('is read up to a number of entries', async () => {
    const { read, limits } = numbers(100)
    assert.deepEqual(await eachEntry({ size: 2, most: 3, read }, () => undefined), { ok: true, value: 3 })
    assert.deepEqual(limits, [2, 1])
  })

  test('that cannot be read is said to be so', async () => {
    const failed = { ok: false, text: 'no such file' } as const
    const read = () => Promise.resolve(failed)
    assert.deepEqual(await eachEntry({ size: 2, most: 3, read }, () => undefined), failed)
  })
})
