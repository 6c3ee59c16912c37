/**
 * The ledger of reports: which are to be sent, which were, and what became of them. It is shared by all workers of all hosts, and
 * outlives them. One worker at a time works through it, the holder of the lease.
 *
 * Nothing here rejects: what could not be done is a result.
 *
 * @module
 */

import type { Done } from '../store'
import type { PeriodLength } from '../tlsrpt'

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
export type DestinationState = 'waiting' | 'trying' | 'queued' | 'accepted' | 'failed' | 'skipped'

/** One rua of a report. Times are milliseconds since 1970. */
export interface Destination {
  /** `mailto:` and an address as it is, nothing in it encoded, or the URL of an https endpoint */
  readonly rua: string
  readonly state: DestinationState
  readonly attempts: number
  /** of `waiting`: when it is tried next; of `trying` and `queued`: when it is looked at again if nothing is heard of it */
  readonly nextAt: number
  /** what was last heard of it, for people */
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
  /** grows with each change: for {@link ReportLedger.change} */
  readonly version: number
}

/** A report that is to be sent when its time comes. */
export interface NewReport extends ReportKey {
  readonly end: number
  readonly reportId: string
  readonly dueAt: number
}

/**
 * The right to send reports, until it ends. Who takes it from another holder has a larger `fence`, and writes of a smaller one are
 * refused, whatever anyone's clock says.
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

export interface ReportLedger {
  /**
   * Takes the lease where it is free, or renews it where `holder` has it. One that lasts longer than twice what is asked for was taken
   * before the clock was set back, and is free.
   *
   * @returns undefined: another one has it
   */
  takeLease(holder: string, now: number, until: number): Promise<Done<Lease | undefined>>
  giveLeaseBack(lease: Lease): Promise<Done<void>>

  timetables(): Promise<Done<readonly Timetable[]>>
  /** Replaces all of them. @returns false: the lease is lost, nothing was written */
  saveTimetables(lease: Lease, timetables: readonly Timetable[]): Promise<Done<boolean>>

  /** Adds reports that are not there yet (by domain and start); those that are keep their id and time. @returns false: the lease is lost */
  schedule(lease: Lease, reports: readonly NewReport[]): Promise<Done<boolean>>
  /**
   * Gives reports that are `scheduled` a proper time where theirs is more than a day behind the last that their period allows: it was
   * settled while the clock was wrong. Absent: the engine cannot.
   *
   * @returns how many there were; undefined: the lease is lost
   */
  readonly bringForward?: (lease: Lease, now: number) => Promise<Done<number | undefined>>
  /** What there is to do now, the longest overdue first. */
  due(now: number, limit: number): Promise<Done<readonly ReportEntry[]>>
  /**
   * Changes an entry, if it is still as it was read (compare-and-set). Of the reports of one domain that are `not-wanted` only the
   * latest is kept: most domains want none, and there would be one more for each of them with each period.
   *
   * @param lease - undefined: news from Haraka's queue, which any worker may get
   * @returns the entry as it is now; undefined: somebody else has changed it, or the lease is lost
   */
  change(entry: ReportEntry, change: EntryChange, lease?: Lease): Promise<Done<ReportEntry | undefined>>
  read(key: ReportKey): Promise<Done<ReportEntry | undefined>>
  /** The frozen report of an entry: gzip. */
  frozen(key: ReportKey): Promise<Done<Uint8Array | undefined>>
  /** The latest period first; within one period by domain. */
  list(query: ReportQuery): Promise<Done<readonly ReportEntry[]>>
  /** How many reports are in a state, counted up to `most`: there may be millions of them. */
  count(state: ReportState, most: number): Promise<Done<number>>
  /** Removes what is over (`dueAt` is Infinity) and whose period ended by `before`. Short pieces of work. */
  removeOld(before: number): Promise<Done<void>>

  // what the command does; the holder of the lease follows within seconds
  suppressions(): Promise<Done<readonly Suppression[]>>
  suppress(pattern: string, now: number): Promise<Done<void>>
  /** @returns whether there was one */
  unsuppress(pattern: string): Promise<Done<boolean>>
  requestSend(request: SendRequest): Promise<Done<void>>
  /** Whether a request for this domain has not been taken yet. */
  isSendRequested(domain: string): Promise<Done<boolean>>
  /** Requests, each handed out once. */
  takeSendRequests(): Promise<Done<readonly SendRequest[]>>

  end(): void
}
