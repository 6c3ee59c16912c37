/**
 * Reports in words, for the log and the command.
 *
 * @module
 */

import type { Period } from '../tlsrpt'

const HOUR = 3_600_000
const DAY = 24 * HOUR

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

/** What a log line about a report begins with. */
export function reportName({ domain, start, end }: Period & { readonly domain: string }): string {
  return `TLS report on ${domain} for ${periodText({ start, end })}`
}
