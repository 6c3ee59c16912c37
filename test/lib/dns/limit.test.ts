import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import { createLimit } from '../../../dist/lib/dns/limit.js'

test('no more than so many tasks run at a time, in their order, whether they fail or not', async () => {
  const limit = createLimit(3)
  const begun: number[] = []
  let running = 0
  let most = 0
  const tasks = Array.from({ length: 20 }, (_, n) =>
    limit(async () => {
      begun.push(n)
      most = Math.max(most, ++running)
      await tick()
      running--
      if (n % 2 === 0) throw new Error('expected')
      return n
    }),
  )
  const results = await Promise.allSettled(tasks)
  assert.equal(most, 3)
  assert.deepEqual(
    begun,
    [...begun].sort((a, b) => a - b),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
  assert.equal(await limit(() => Promise.resolve('free again')), 'free again')
})
