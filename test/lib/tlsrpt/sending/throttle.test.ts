import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createThrottle,
  MOST_A_MINUTE,
  MOST_MAILS_A_MINUTE,
  MOST_POSTS,
  MOST_POSTS_TO_A_HOST,
} from '../../../../dist/lib/tlsrpt/sending/throttle.js'

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

  test('by mail, has all hosts in view: the queue that delivers reports has others’ mail to deliver', () => {
    let now = 10 * MINUTE
    const throttle = createThrottle(
      () => now,
      () => 0.5,
    )
    const ask = (_: unknown, index: number): number | undefined => throttle.enter(`mailto:tls@h${index}.test`)
    const first = Array.from({ length: MOST_MAILS_A_MINUTE + 10 }, ask)
    assert.equal(first.filter((wait) => wait === undefined).length, MOST_MAILS_A_MINUTE)
    assert.ok(first.slice(MOST_MAILS_A_MINUTE).every((wait = 0) => wait >= MINUTE && wait < 2 * MINUTE))
    assert.equal(throttle.enter('https://h0.test/'), undefined)
    now += MINUTE
    assert.equal(throttle.enter('mailto:tls@h0.test'), undefined)
  })

  test('by https, of a host that does not answer, is told to come when there can be room, not again and again', () => {
    let now = 0
    const throttle = createThrottle(
      () => now,
      () => 0.5,
    )
    const url = 'https://hangs.test/'
    for (let count = 0; count < MOST_POSTS_TO_A_HOST; count++) assert.equal(throttle.enter(url), undefined)
    now = MINUTE
    throttle.leave(url)
    assert.equal(throttle.enter(url), undefined)
    const minutes = Array.from({ length: 20 }, () => Math.floor((throttle.enter(url) ?? 0) / MINUTE))
    assert.deepEqual(
      [1, 2, 3, 4].map((minute) => minutes.filter((one) => one === minute).length),
      [5, 5, 5, 5],
    )
  })
})
