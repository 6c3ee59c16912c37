import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createThrottle, MOST_A_MINUTE, MOST_POSTS, MOST_POSTS_TO_A_HOST } from '../../../dist/lib/reports/throttle.js'

const MINUTE = 60_000

describe('who has to wait for a host', () => {
  test('is given a minute of its own, no more of them than can be served in it', () => {
    let now = 10 * MINUTE
    const throttle = createThrottle(
      () => now,
      () => 0.5,
    )
    const ask = (): number | undefined => throttle.enter('mailto:tls@reports.test')
    for (let count = 0; count < MOST_A_MINUTE; count++) assert.equal(ask(), undefined)
    const minutes = Map.groupBy(Array.from({ length: 700 }, ask), (wait = 0) => Math.floor(wait / MINUTE))
    assert.deepEqual(
      [...minutes].map(([minute, asked]) => [minute, asked.length]),
      [
        [1, 300],
        [2, 300],
        [3, 100],
      ],
    )
    now += 2 * MINUTE // 600 of them have had their minute
    for (let count = 0; count < MOST_A_MINUTE; count++) assert.equal(ask(), undefined)
    assert.equal(Math.floor((ask() ?? 0) / MINUTE), 1)
    assert.equal(throttle.enter('mailto:tls@other.test'), undefined)
  })

  test('by https, is let in when another one has left, at the host and altogether', () => {
    const throttle = createThrottle(
      () => 0,
      () => 0.5,
    )
    const urls = Array.from({ length: MOST_POSTS / MOST_POSTS_TO_A_HOST }, (_, index) => `https://h${index}.test/`)
    for (const url of urls)
      for (let count = 0; count < MOST_POSTS_TO_A_HOST; count++) assert.equal(throttle.enter(url), undefined)
    assert.notEqual(throttle.enter('https://other.test/'), undefined)
    assert.equal(throttle.enter('mailto:tls@h0.test'), undefined)
    throttle.leave('https://h1.test/x')
    assert.notEqual(throttle.enter('https://h0.test/'), undefined)
    assert.equal(throttle.enter('https://h1.test/'), undefined)
  })
})
