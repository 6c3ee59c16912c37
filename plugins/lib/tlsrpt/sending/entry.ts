/**
 * What the ledger of reports holds: which reports are to be sent, which were, and how they ended.
 *
 * @module
 */

import type { PeriodLength } from '../format'

/**
 * - `scheduled`: waits for its time; not composed yet
 * - `sending`: composed and frozen; some destination has not answered yet
 * - `sent`: at least one destination has accepted it (R6)
 * - `given-up`: none has within `retry-for`
 * - `not-wanted`: the domain asks for no report, or not for this one (`when = failures`, suppressed); `note` says why
 */
export type ReportState = 'scheduled' | 'sending' | 'sent' | 'given-up' | 'not-wanted'

/**
 * - `waiting`: to be tried at `nextAt`
 * - `trying`: an attempt is under way; found so by a new holder of the lease, it is a doubt, and the same report goes again
 * - `queued`: a mail that Haraka's queue has, which is not accepted yet
 * - `accepted`, `failed` (for good), `skipped` (never tried, see `note`)
 */
export type ReportDestinationState = 'waiting' | 'trying' | 'queued' | 'accepted' | 'failed' | 'skipped'

/** One rua of a report. Times are milliseconds since 1970. */
export interface Destination {
  /** `mailto:` and an address as it is, nothing in it encoded, or the URL of an https endpoint */
  readonly rua: string
  readonly state: ReportDestinationState
  readonly attempts: number
  /** of `waiting`: when it is tried next; of `trying` and `queued`: when it is looked at again if its result is not known by then */
  readonly nextAt: number
  /** the last answer or reason, for people */
  readonly note: string | undefined
}

export interface ReportKey {
  /** the recipient domain whose TLSRPT record is followed */
  readonly domain: string
  /** when the period begins */
  readonly start: number
}

export interface ReportEntry extends ReportKey {
  /** when the period ends */
  readonly end: number
  readonly reportId: string
  readonly state: ReportState
  /** when there is next something to do about it; Infinity: nothing any more */
  readonly dueAt: number
  /** when its first attempt was, or of a scheduled one the first look-up that failed; undefined: there was none */
  readonly firstTriedAt: number | undefined
  readonly destinations: readonly Destination[]
  readonly note: string | undefined
  /** successes and failures over all its policies, once composed; of overlapping policies both are counted */
  readonly sessions: { readonly successful: number; readonly failed: number } | undefined
  /** bytes of the frozen report, gzip, also when it is not kept any more; 0: never composed */
  readonly size: number
  /** grows with each change: so that a change finds whether it was changed meanwhile */
  readonly version: number
}

/** A report that is to be sent when its time comes. */
export interface NewReport extends ReportKey {
  readonly end: number
  readonly reportId: string
  readonly dueAt: number
}

/**
 * The right to send reports, until it ends. A holder that takes it from another one has a larger `fence`, and writes under a
 * smaller one are refused, whatever the clocks of the hosts say.
 */
export interface Lease {
  readonly holder: string
  readonly fence: number
  readonly until: number
}

/** Up to where the reports of some domains are scheduled, and how long the period is that is under way for them. */
export interface Timetable {
  /** a `[domain:…]` section's domain; empty: all that have none */
  readonly group: string
  readonly through: number
  readonly length: PeriodLength | 'never'
}

/** Made with the command: a domain, a rua or the host of one that gets no report. */
export interface Suppression {
  readonly pattern: string
  readonly since: number
}

/** The command asked for what waits for a domain to be sent now. */
export interface SendRequest {
  readonly domain: string
  /** when it asked */
  readonly at: number
}

export type EntryChange = Partial<
  Pick<ReportEntry, 'state' | 'dueAt' | 'firstTriedAt' | 'destinations' | 'note' | 'sessions'>
> & {
  /** the report as it is sent from now on: gzip of its text; null: it is not needed any more */
  readonly frozen?: Uint8Array | null
}

/** Which reports to list. What is left out does not restrict. */
export interface ReportQuery {
  readonly domain?: string
  readonly states?: readonly ReportState[]
  /** those behind this one, which was the last of the page before */
  readonly after?: ReportKey
  readonly limit: number
}

/** What a recorded status has made of a report. */
export interface StatusChange {
  readonly before: ReportEntry
  readonly after: ReportEntry
}

/** What a {@link SendRequest} came to. */
export interface FollowedRequest {
  readonly domain: string
  /** how many reports on it there are, and how many of them are due now */
  readonly known: number
  readonly due: number
}

/** A destination that has refused the reports of three periods in a row. */
export interface Refusing {
  readonly rua: string
  readonly periods: number
  /** the first period that it is asked again for begins then or later: milliseconds since 1970 */
  readonly until: number
}
