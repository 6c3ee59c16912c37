import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { periodAt, periodsBetween, type Period, type PeriodLength } from '../../../../dist/lib/tlsrpt/format/index.js'

const at = (text: string): number => Date.parse(`${text}Z`)
const shown = ({ start, end }: Period): string =>
  [start, end].map((instant) => new Date(instant).toISOString().slice(0, 16)).join('/')

describe('the periods of reports', () => {
  const containing: [length: PeriodLength, instant: string, period: string][] = [
    ['hourly', '2027-01-31T23:59:59.999', '2027-01-31T23:00/2027-02-01T00:00'],
    ['hourly', '2027-03-28T01:00', '2027-03-28T01:00/2027-03-28T02:00'], // clocks change in Europe, not here
    ['daily', '2028-02-29T12:00', '2028-02-29T00:00/2028-03-01T00:00'],
    ['daily', '2027-12-31T23:59:59', '2027-12-31T00:00/2028-01-01T00:00'],
    ['daily', '2028-01-01T00:00', '2028-01-01T00:00/2028-01-02T00:00'],
    ['weekly', '2027-01-01T00:00', '2026-12-28T00:00/2027-01-04T00:00'],
    ['weekly', '2027-02-28T23:59:59', '2027-02-22T00:00/2027-03-01T00:00'],
    ['weekly', '2027-03-01T00:00', '2027-03-01T00:00/2027-03-08T00:00'],
    ['weekly', '1970-01-01T00:00', '1969-12-29T00:00/1970-01-05T00:00'],
  ]
  for (const [length, instant, period] of containing)
    test(`R9: ${length} at ${instant}: ${period}`, () => assert.equal(shown(periodAt(length, at(instant))), period))

  test('R9: a host that was down over several has each of them by itself', () => {
    const periods = [...periodsBetween('daily', at('2027-01-30T00:00'), at('2027-02-02T11:00'))]
    assert.deepEqual(periods.map(shown), [
      '2027-01-30T00:00/2027-01-31T00:00',
      '2027-01-31T00:00/2027-02-01T00:00',
      '2027-02-01T00:00/2027-02-02T00:00',
    ])
  })

  test('one that is not over is not among them; one that ends just now is', () => {
    assert.deepEqual([...periodsBetween('weekly', at('2027-03-01T00:00'), at('2027-03-07T23:59'))], [])
    assert.equal([...periodsBetween('weekly', at('2027-03-01T00:00'), at('2027-03-08T00:00'))].length, 1)
  })

  test('when days become weeks, the first week is what is left of it', () => {
    const periods = [...periodsBetween('weekly', at('2027-03-04T00:00'), at('2027-03-15T00:00'))]
    assert.deepEqual(periods.map(shown), ['2027-03-04T00:00/2027-03-08T00:00', '2027-03-08T00:00/2027-03-15T00:00'])
  })

  test('R9: every hour is in exactly one, however often the length changes', () => {
    const HOUR = 3_600_000
    const length = fc.constantFrom<PeriodLength>('hourly', 'daily', 'weekly')
    const change = fc.record({ length, hours: fc.nat(400) })
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1_000_000 }), fc.array(change, { maxLength: 8 }), (hour, changes) => {
        let reported = hour * HOUR
        let now = reported
        for (const { length: current, hours } of changes) {
          now += hours * HOUR
          for (const { start, end } of periodsBetween(current, reported, now)) {
            assert.equal(start, reported)
            assert.ok(end > start && end <= now && end === periodAt(current, start).end)
            reported = end
          }
          assert.ok(periodAt(current, reported).end > now)
        }
      }),
      { numRuns: 300 },
    )
  })
})
