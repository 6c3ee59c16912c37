import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isoTime } from '../../dist/lib/time.js'

describe('a time as text', () => {
  for (const [instant, text] of [
    [0, '1970-01-01T00:00:00Z'],
    [Date.UTC(2026, 9, 1, 2, 3, 4), '2026-10-01T02:03:04Z'],
    [new Date(Date.UTC(2026, 11, 31, 23, 59, 59, 999)), '2026-12-31T23:59:59Z'],
    [Date.UTC(2028, 1, 29), '2028-02-29T00:00:00Z'],
    [Date.UTC(9999, 11, 31, 23, 59, 59), '9999-12-31T23:59:59Z'],
    [new Date('Bad time value'), 'an unknown time'],
    [Infinity, 'an unknown time'],
  ] as const)
    test(`is ISO 8601 in UTC, to the second: ${text}`, () => assert.equal(isoTime(instant), text))
})
