import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NameServer } from '../../../dist/lib/dns/index.js'
import { createServerOrder } from '../../../dist/lib/dns/server-order.js'

const [one, two, three] = [1, 2, 3].map((port) => ({ address: '127.0.0.1', port })) as [
  NameServer,
  NameServer,
  NameServer,
]
describe('the order of servers', () => {
  test('is the configured one, the silent ones last until they answer', () => {
    const order = createServerOrder([one, two, three], () => 0)
    assert.deepEqual(order.list(), [one, two, three])
    order.silent(one, 0)
    assert.deepEqual(order.list(), [two, three, one])
    order.silent(two, 0)
    assert.deepEqual(order.list(), [three, one, two])
    order.answered(one)
    assert.deepEqual(order.list(), [one, three, two])
  })

  test('a silent server is due for a trial once a minute', () => {
    let time = 0
    const order = createServerOrder([one, two], () => time)
    assert.equal(order.dueForTrial(), undefined)
    order.silent(one, 0)
    time = 59_999
    assert.equal(order.dueForTrial(), undefined)
    time = 60_000
    assert.equal(order.dueForTrial(), one)
    assert.equal(order.dueForTrial(), undefined)
    time = 120_000
    assert.equal(order.dueForTrial(), one)
    order.answered(one)
    time = 999_999
    assert.equal(order.dueForTrial(), undefined)
  })

  test('where all are silent all are asked, in the configured order, and none on trial', () => {
    const order = createServerOrder([one, two], () => 1e6)
    order.silent(two, 0)
    order.silent(one, 0)
    assert.deepEqual(order.list(), [one, two])
    assert.equal(order.dueForTrial(), undefined)
  })

  test('a server that has answered others meanwhile is not dead', () => {
    let time = 10
    const order = createServerOrder([one, two], () => time)
    order.answered(one)
    time = 20
    assert.equal(order.silent(one, 5), false)
    assert.deepEqual(order.list(), [one, two])
    assert.equal(order.silent(one, 10), true)
    assert.deepEqual(order.list(), [two, one])
  })
})
