/**
 * Times as views have them: ISO 8601 in UTC.
 *
 * @module
 */

import { isoTime } from '../lib/time'

/** ISO 8601, UTC, to the second: `2027-01-31T23:59:59Z`. */
export type Time = string

/** @param instant - milliseconds since 1970; one that no clock will show is null */
export function timeOf(instant: number): Time | null {
  return Number.isNaN(new Date(instant).getTime()) ? null : isoTime(instant)
}

export function timeOrNull(instant: number | undefined): Time | null {
  return instant === undefined ? null : timeOf(instant)
}
