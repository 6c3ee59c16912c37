/**
 * Reports in words, for the log and the command.
 *
 * @module
 */

import { DAY, HOUR } from '../../time'
import type { Period } from '../format'

/** `2027-01-31` for a day, `2027-01-31T10Z` for an hour, first and last day or hour of others. UTC. */
export function periodText({ start, end }: Period): string {
  const isDays = start % DAY === 0 && end % DAY === 0
  const unit = isDays ? DAY : HOUR
  const text = (instant: number): string => {
    const iso = new Date(instant).toISOString()
    return isDays ? iso.slice(0, 10) : `${iso.slice(0, 13)}Z`
  }
  return end - start === unit ? text(start) : `${text(start)} to ${text(end - unit)}`
}

/** Reads what {@link periodText} writes, and nothing else. */
export function readPeriodText(text: string): Period | undefined {
  const [first = '', last = first] = text.split(' to ')
  const [start, end] = [readInstant(first), readInstant(last)]
  if (start === undefined || end === undefined || end < start) return undefined
  const period = { start, end: end + (first.endsWith('Z') ? HOUR : DAY) }
  return periodText(period) === text ? period : undefined
}

function readInstant(text: string): number | undefined {
  const [, day, hour = '00'] = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)Z)?$/.exec(text) ?? []
  const instant = day === undefined ? NaN : Date.parse(`${day}T${hour}:00:00Z`)
  return Number.isNaN(instant) ? undefined : instant
}

/** What a log line about a report begins with. */
export function reportName({ domain, start, end }: Period & { readonly domain: string }): string {
  return `TLS report on ${domain} for ${periodText({ start, end })}`
}
