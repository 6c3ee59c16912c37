/**
 * Numbers as they are given to the command.
 *
 * @module
 */

import type { Call, Problem } from './command'

/** How many days back, unless `--days` says otherwise. */
export const USUAL_DAYS = 7
const MOST_DAYS = 3650

/** The value of `--days`. */
export function readDays({ options }: Call): number | Problem {
  const days = readNumber(options.days ?? String(USUAL_DAYS), MOST_DAYS)
  return days ?? { code: 2, problems: [`--days takes a whole number from 1 to ${MOST_DAYS}`] }
}

/** "the last day", "the last 7 days". */
export function lastDays(days: number): string {
  return days === 1 ? 'the last day' : `the last ${days} days`
}

/** A whole number from 1 to `most`; undefined: it is none. */
export function readNumber(text: unknown, most: number): number | undefined {
  const number = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
  return number >= 1 && number <= most ? number : undefined
}
