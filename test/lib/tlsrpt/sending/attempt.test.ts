import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { afterStatus, claim, retryAt } from '../../../../dist/lib/tlsrpt/sending/attempt.js'
import type { Destination, ReportEntry } from '../../../../dist/lib/tlsrpt/sending/index.js'

const RUA = 'mailto:tls@a.test'

function entry(destination: Partial<Destination>): ReportEntry {
  return {
    ...{ domain: 'a.test', start: 0, end: 3_600_000, reportId: 'x@example.org', state: 'sending', dueAt: 1000 },
    ...{ firstTriedAt: 0, note: undefined, sessions: undefined, size: 100, version: 3 },
    destinations: [{ rua: RUA, state: 'trying', attempts: 2, nextAt: 1000, note: undefined, ...destination }],
  }
}

describe('news of an attempt that somebody else has begun again meanwhile', () => {
  for (const [status, nextAt] of [
    ['failed', 500],
    ['failed', Infinity],
    ['queued', 500],
  ] as const) {
    test(`change nothing: ${status}, next at ${nextAt}`, () => {
      const news = { status, nextAt, note: 'late', attempt: 1 } as const
      assert.equal(afterStatus(entry({}), RUA, news), undefined)
      assert.equal(afterStatus(entry({ state: 'waiting', attempts: 1 }), RUA, news), undefined)
      assert.notEqual(afterStatus(entry({ attempts: 1 }), RUA, news), undefined)
    })
  }

  test('count all the same where the report has arrived', () => {
    const change = afterStatus(entry({}), RUA, { status: 'accepted', note: '250 ok' })
    assert.equal(change?.state, 'sent')
    assert.equal(change.frozen, null)
  })
})

describe('a destination that always has to wait for its turn', () => {
  const waiting = { state: 'waiting', attempts: 0, nextAt: 0 } as const
  const options = { retryFor: 60_000, suppressedBy: () => undefined, refusing: () => undefined, mustWait: () => 5000 }

  test('waits, from the first time that it was asked for', () => {
    const { change, attempts } = claim({ ...entry(waiting), firstTriedAt: undefined }, { ...options, now: 1000 })
    assert.deepEqual([attempts, change.state, change.dueAt, change.firstTriedAt], [[], 'sending', 6000, 1000])
  })

  test('is given up when retry-for is over, so that it does not wait for ever', () => {
    const { change, attempts } = claim({ ...entry(waiting), firstTriedAt: 1000 }, { ...options, now: 61_000 })
    assert.deepEqual([attempts, change.state, change.dueAt], [[], 'given-up', Infinity])
    assert.match(change.destinations?.[0]?.note ?? '', /never was its turn/)
  })
})

describe('R24: what has failed is tried again', () => {
  const MINUTE = 60_000
  const HOUR = 60 * MINUTE
  const delayBehind = (attempts: number, retryFor = 240 * HOUR, random = 0.5): number =>
    retryAt({ attempts, firstTriedAt: 0 }, { now: 0, retryFor, random: () => random })

  test('after 5 minutes, then twice as long each time, up to 6 hours', () => {
    const delays = [1, 2, 3, 7, 8, 50].map((attempts) => delayBehind(attempts) / MINUTE)
    assert.deepEqual(delays, [5, 10, 20, 320, 360, 360])
  })
  test('spread by a quarter to both sides', () => {
    assert.deepEqual([delayBehind(1, undefined, 0), delayBehind(1, undefined, 1)], [3.75 * MINUTE, 6.25 * MINUTE])
  })
  test('not before the receiver wants it, and not beyond retry-for', () => {
    const after = (retryAfter: number) =>
      retryAt({ attempts: 1, firstTriedAt: 0 }, { now: 0, retryFor: 24 * HOUR, retryAfter, random: () => 0.5 })
    assert.deepEqual([after(MINUTE), after(2 * HOUR), after(25 * HOUR)], [5 * MINUTE, 2 * HOUR, Infinity])
  })
  test('within retry-for, and not later', () => {
    assert.equal(delayBehind(8, HOUR), Infinity)
  })
})
