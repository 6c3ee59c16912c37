/**
 * What span of time a report is about: whole hours, days and weeks from Monday, in UTC (RFC 8460 §4.1, R9).
 *
 * UTC days have 86,400 seconds for a computer, so months, years, leap years and daylight saving time need no thought here.
 *
 * @module
 */

import { DAY, HOUR } from '../../time'

/** How often reports are sent. */
export type PeriodLength = 'hourly' | 'daily' | 'weekly'

/** A span of time, in milliseconds since 1970: `start` belongs to it, `end` to the next one. */
export interface Period {
  readonly start: number
  readonly end: number
}

const WEEK = 7 * DAY
const FIRST_MONDAY = 4 * DAY // 1970 began on a Thursday

const grids = {
  hourly: { length: HOUR, origin: 0 },
  daily: { length: DAY, origin: 0 },
  weekly: { length: WEEK, origin: FIRST_MONDAY },
} as const satisfies Record<PeriodLength, { length: number; origin: number }>

/** The hour, day or week that an instant (milliseconds since 1970) is in. */
export function periodAt(length: PeriodLength, instant: number): Period {
  const grid = grids[length]
  const start = Math.floor((instant - grid.origin) / grid.length) * grid.length + grid.origin
  return { start, end: start + grid.length }
}

/**
 * The periods from one instant on that are over at another, one after the other without a gap. Where `from` is inside an hour,
 * day or week, the first period is what is left of it: so nothing is reported twice or not at all when the length is changed.
 */
export function* periodsBetween(length: PeriodLength, from: number, to: number): Generator<Period, void, undefined> {
  let start = from
  let { end } = periodAt(length, start)
  while (end <= to) {
    yield { start, end }
    start = end
    end = periodAt(length, start).end
  }
}

/** Whether a period begins and ends on a full hour, and has at least one. */
export function isWholeHours({ start, end }: Period): boolean {
  return (
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && start < end && start % HOUR === 0 && end % HOUR === 0
  )
}

/** The last second of a period, in seconds since 1970: reports say 23:59:59, not 24:00:00 (RFC 8460 Appendix B). */
export function lastSecond({ end }: Period): number {
  return end / 1000 - 1
}
