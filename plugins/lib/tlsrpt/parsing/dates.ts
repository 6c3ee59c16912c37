/**
 * What span of time a report is about, as senders write it: RFC 3339, or nearly (V7).
 *
 * @module
 */

import { DAY, isoTime } from '../../time'
import { isMissing, objectOf, shown } from './fields'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'

export interface DateRange {
  /** milliseconds since 1970 */
  readonly start: number
  readonly end: number
}

/** The first draft of the format is of 2016. */
const FIRST = Date.UTC(2016, 0, 1)
/** Reports are of a day or a week; a month is a long time already. */
const LONGEST = 100 * DAY

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)`
const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,12})?)?`
const ZONE = String.raw`(Z|UTC|GMT|[+-]\d\d:?\d\d)`
const DATE_TIME = new RegExp(`^${DATE}(?:(?:T|[ \\t]+)${TIME}(?:[ \\t]*${ZONE})?)?$`, 'i')

/**
 * Reads the date range of a report.
 *
 * @param now - milliseconds since 1970; what ends more than a day later cannot have been seen by anyone
 * @throws RefusedError `missing-date`, `invalid-date`, `reversed-dates`, `future-date`, `absurd-dates`
 */
export function readDateRange(value: unknown, now: number, notes: ReportNotes): DateRange {
  const range = objectOf(value, 'date-range', notes)
  const start = readDate(range['start-datetime'], 'start-datetime', 'first', notes)
  const end = readDate(range['end-datetime'], 'end-datetime', 'last', notes)
  const span = `${isoTime(start)} to ${isoTime(end)}`
  if (end < start) refuse('reversed-dates', span)
  if (end > now + DAY) refuse('future-date', span)
  if (start < FIRST || end - start > LONGEST) refuse('absurd-dates', span)
  return { start, end }
}

/** @param second - of the day, where only a day is given */
function readDate(value: unknown, name: string, second: 'first' | 'last', notes: ReportNotes): number {
  if (isMissing(value, name, notes)) return refuse('missing-date', `${name} is missing`)
  if (typeof value === 'number') return readNumber(value, name, notes)
  const [match, year, month, day, hour, minute, seconds, zone] =
    DATE_TIME.exec(typeof value === 'string' ? value.trim() : '') ?? []
  const midnight = dayOf(year, month, day)
  if (match === undefined || midnight === undefined) return refuse('invalid-date', `${name}: ${shown(value)}`)
  if (hour === undefined) {
    notes.add('date-without-time', `${name} has no time`)
    return second === 'first' ? midnight : midnight + DAY - 1000
  }
  if (zone === undefined) notes.add('date-without-zone', `${name} has no time zone, taken for UTC`)
  const time = timeOf(Number(hour), Number(minute), Number(seconds ?? 0))
  const offset = offsetOf(zone)
  if (time === undefined || offset === undefined) return refuse('invalid-date', `${name}: ${shown(value)}`)
  return midnight + time - offset
}

/** Seconds since 1970, as in reports by DMARC, or milliseconds. */
function readNumber(value: number, name: string, notes: ReportNotes): number {
  notes.add('date-as-number', `${name} is a number`)
  const at = value > 1e11 ? value : value * 1000
  return Number.isSafeInteger(at) && at >= 0 && at < 1e14 ? at : refuse('invalid-date', `${name}: ${shown(value)}`)
}

/** Date takes 02-30 for the second of March. */
function dayOf(year?: string, month?: string, day?: string): number | undefined {
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day))
  return Number.isNaN(at) || new Date(at).getUTCDate() !== Number(day) ? undefined : at
}

/** 24:00:00 is the end of a day (ISO 8601), 23:59:60 a leap second (RFC 3339 §5.6). */
function timeOf(hour: number, minute: number, second: number): number | undefined {
  if (minute > 59 || second > 60 || hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return undefined
  return ((hour * 60 + minute) * 60 + Math.min(second, 59)) * 1000
}

function offsetOf(zone = 'Z'): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  if (sign === undefined) return 0
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}
