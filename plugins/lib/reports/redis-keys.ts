/**
 * Where the ledger is in Redis.
 *
 * - A report is a hash of {@link FIELDS}, and of `body`, which is what is frozen of it.
 * - Its names are in sorted sets: of what is due, of all, and of its state. They are in the order in which people look at reports, so
 *   the start of a period is written as what is left of a large number: the latest comes first.
 *
 * @module
 */

import { KEY_PREFIX } from '../store'
import type { ReportKey, ReportState } from './ledger'

const PREFIX = `${KEY_PREFIX}reports:`
/** holder, fence, until */
export const LEASE = `${PREFIX}lease`
export const TIMETABLES = `${PREFIX}timetables`
export const SUPPRESSIONS = `${PREFIX}suppressions`
/** domains, by when it was asked for */
export const REQUESTS = `${PREFIX}requests`
/** what is to be done, by its time */
export const DUE = `${PREFIX}due`
/** all reports, by domain */
export const BY_DOMAIN = `${PREFIX}by-domain`
/** what stands before the name of a report */
export const REPORT = `${PREFIX}report:`

/** What each report has. */
export const FIELDS = ['state', 'end', 'facts', 'destinations', 'version'] as const

export const STATES: readonly ReportState[] = ['scheduled', 'sending', 'sent', 'given-up', 'not-wanted']

/** The reports in a state, and in what is due: by {@link rankOf}. */
export function stateKey(state: ReportState): string {
  return `${PREFIX}${state}`
}

const LARGE = 999_999_999_999_999
/** Of a start. */
export const DIGITS = String(LARGE).length

/** The name of a report. */
export function nameOf({ domain, start }: ReportKey): string {
  return `${domain}|${countdown(start)}`
}

/** Its name among those of all domains: the latest period comes first, and within one period they are by domain. */
export function rankOf({ domain, start }: ReportKey): string {
  return `${countdown(start)}|${domain}`
}

/** The name of a report by its rank. */
export function nameOfRank(rank: string): string {
  return `${rank.slice(DIGITS + 1)}|${rank.slice(0, DIGITS)}`
}

export function keyOfName(name: string): ReportKey {
  return { domain: name.slice(0, -DIGITS - 1), start: LARGE - Number(name.slice(-DIGITS)) }
}

/** Where the ranks end of periods that begin at `start` or later. */
export function endOfRanks(start: number): string {
  return `${countdown(start)}}`
}

/** Between which names those of a domain are. */
export function namesOf(domain: string): readonly [string, string] {
  return [`[${domain}|`, `(${domain}}`]
}

function countdown(start: number): string {
  return String(LARGE - start).padStart(DIGITS, '0')
}
