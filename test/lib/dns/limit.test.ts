import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createLimit } from '../../../dist/lib/dns/limit.js'

const PATIENCE = 5000
const HOLD = 250

/** A limit on a clock that only moves when it is told to. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let clock = 0
  const enter = createLimit(PATIENCE, () => clock)
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    /** the groups of those that got a place, in that order, and of those that got none */
    log: [] as string[],
    leaves: [] as (() => void)[],
    async enter(...groups: readonly string[]) {
      for (const group of groups)
        void enter(group).then((leave) => {
          this.log.push(leave === undefined ? `${group}: too late` : group)
          if (leave !== undefined) this.leaves.push(leave)
        })
      await turn()
    },
    async pass(milliseconds: number) {
      clock += milliseconds
      t.mock.timers.tick(milliseconds)
      await turn()
    },
    async leave(index: number) {
      this.leaves[index]?.()
      await turn()
    },
  }
}

const many = (count: number, group: (n: number) => string) => Array.from({ length: count }, (_, n) => group(n))
const counted = (log: readonly string[], group: string) => log.filter((entry) => entry === group).length

describe('places for lookups', () => {
  test('a hundred lookups of different domains go out at once; the next one when one has ended', async (t) => {
    const limit = start(t)
    await limit.enter(...many(101, (n) => `domain${n}`))
    assert.equal(limit.log.length, 100)
    await limit.leave(7)
    assert.equal(limit.log.at(-1), 'domain100')
  })

  test('sixteen of one domain go out at once, in the order in which they came', async (t) => {
    const limit = start(t)
    await limit.enter(...many(20, () => 'one'))
    assert.equal(limit.log.length, 16)
    await limit.leave(0)
    assert.equal(limit.log.length, 17)
  })

  test('a lookup without an answer gives its place to the next after a quarter of a second', async (t) => {
    const limit = start(t)
    await limit.enter(...many(20, () => 'one'))
    await limit.pass(HOLD - 1)
    assert.equal(limit.log.length, 16)
    await limit.pass(1)
    assert.equal(limit.log.length, 20)
  })

  test('ending after it gave its place away opens no second one', async (t) => {
    const limit = start(t)
    await limit.enter(...many(40, () => 'one'))
    await limit.pass(HOLD)
    assert.equal(limit.log.length, 32)
    for (let n = 0; n < 16; n++) await limit.leave(n)
    assert.equal(limit.log.length, 32)
  })

  test('the domain with the fewest lookups under way has the next place, whoever came first', async (t) => {
    const limit = start(t)
    const bad = many(100, (n) => `bad${n}`)
    await limit.enter(...bad, ...bad, ...bad, ...bad)
    await limit.enter('healthy')
    assert.equal(counted(limit.log, 'healthy'), 0)
    await limit.pass(HOLD)
    assert.equal(limit.log[100], 'healthy')
  })

  test('what a domain has waiting longer than one time-out while others of it are under way is given up', async (t) => {
    const limit = start(t)
    const others = many(100, (n) => `domain${n}`)
    await limit.enter('greedy', ...others, ...many(9, () => 'greedy'))
    assert.equal(counted(limit.log, 'greedy'), 1)
    for (let waited = 0; waited < PATIENCE; waited += HOLD) {
      await limit.enter(...many(100, (n) => `other${waited}-${n}`)) // these have nothing under way, and go first
      await limit.pass(HOLD)
    }
    await limit.pass(HOLD)
    assert.equal(counted(limit.log, 'greedy: too late'), 9)
  })

  test('a domain that has nothing under way is never given up, however long it waits for others', async (t) => {
    const limit = start(t)
    await limit.enter(...many(30 * 100, (n) => `domain${n}`), 'last')
    for (let waited = 0; waited < 30 * HOLD; waited += HOLD) await limit.pass(HOLD)
    assert.equal(limit.log.at(-1), 'last')
    assert.ok(limit.log.every((entry) => !entry.endsWith('too late')))
  })
})
