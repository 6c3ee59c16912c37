import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRateLimit } from '../../dist/analysis/rate-limit.js'
import { createTurns } from '../../dist/analysis/turns.js'

const LONG = 1_000_000

describe('turns', () => {
  test('are taken in order, as many at once as there are', async () => {
    const turns = createTurns(2)
    const said: string[] = []
    const [first, second] = [await turns.take(LONG), await turns.take(LONG)]
    const waiting = ['third', 'fourth'].map(async (name) => {
      const end = await turns.take(LONG)
      said.push(name)
      return end
    })
    first?.()
    await waiting[0]
    assert.deepEqual(said, ['third'])
    second?.()
    await waiting[1]
    assert.deepEqual(said, ['third', 'fourth'])
  })

  test('end once, however often that is said', async () => {
    const turns = createTurns(1)
    const end = await turns.take(LONG)
    end?.()
    end?.()
    assert.ok(await turns.take(LONG))
    assert.equal(await turns.take(1), undefined)
  })

  test('go to the next one where somebody has given up', async () => {
    const turns = createTurns(1)
    const end = await turns.take(LONG)
    assert.equal(await turns.take(1), undefined)
    const next = turns.take(LONG)
    end?.()
    assert.ok(await next)
  })
})

describe('the rate limit', () => {
  const limited = (ofOne: number, ofAll: number) => {
    let now = 0
    const rate = createRateLimit({ ofOne, ofAll, span: 1000 }, () => now)
    return {
      allows: (address: string) => rate.allows(address),
      wait: (milliseconds: number) => void (now += milliseconds),
    }
  }

  test('is for each client, and begins anew with the next span', () => {
    const { allows, wait } = limited(2, 10)
    assert.deepEqual(
      ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map((address) => allows(address)),
      [true, true, false, true],
    )
    wait(1000)
    assert.ok(allows('192.0.2.1'))
  })

  test('takes the addresses of a /64 for one client, however they are written', () => {
    const { allows } = limited(1, 10)
    assert.ok(allows('2001:db8::1'))
    for (const same of ['2001:db8::2', '2001:db8:0:0:ffff::1', '2001:0db8::1%eth0']) assert.equal(allows(same), false)
    assert.ok(allows('2001:db8:0:1::1'))
    assert.ok(allows('::ffff:192.0.2.1'))
    assert.equal(allows('192.0.2.1'), false)
  })

  test('is for all of them together, too', () => {
    const { allows } = limited(1, 3)
    assert.deepEqual(
      [1, 2, 3, 4].map((host) => allows(`192.0.2.${host}`)),
      [true, true, true, false],
    )
  })
})
