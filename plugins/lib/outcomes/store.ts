/**
 * What a store of outcomes must be able to do: SQLite for one machine, Redis for several. Nothing here rejects: what could not be done
 * is a result, for no delivery and no report may fail by it.
 *
 * Sessions are counted, not kept: one count for each UTC hour, recipient domain, policy and detail. Hourly, daily and weekly reports
 * are sums of the same counts.
 *
 * @module
 */

import type { Done } from '../store'
import type { AppliedPolicy, FailureFacts, Period, PolicyFacts } from '../tlsrpt'
import type { SessionOutcome } from './session'

/** Sessions that went alike under one policy. */
export interface PolicyCount {
  /** the beginning of the UTC hour they happened in, in milliseconds since 1970 */
  readonly hour: number
  /** the recipient domain, or the relay's name: whose TLSRPT record decides who is told (R1) */
  readonly domain: string
  readonly policy: AppliedPolicy
  /** undefined: they succeeded */
  readonly failure: Omit<FailureFacts, 'count'> | undefined
  readonly count: number
}

/** Sessions as people look at them, whatever policies applied. */
export interface SessionCount {
  readonly hour: number
  readonly domain: string
  /** undefined: there was none, as for an MX lookup that was bogus; or one of those that were folded, see {@link MOST_SESSION_KINDS} */
  readonly host: string | undefined
  readonly level: SessionOutcome['level']
  readonly tlsVersion: string | undefined
  readonly count: number
}

/** What one worker has seen within one batch interval. */
export interface Batch {
  /** who writes it: a process, or what it began afresh */
  readonly writer: string
  /**
   * A writer's batches are added one after the other, their numbers growing. One that is added again, since nobody knows whether it
   * arrived, counts once: no number counts that is not larger than the last one of its writer.
   */
  readonly number: number
  readonly policies: readonly PolicyCount[]
  readonly sessions: readonly SessionCount[]
}

/** What became of a batch. Its numbers are of sessions as policies count them. */
export interface Added {
  /** false: this batch was there already, and nothing was counted */
  readonly isNew: boolean
  /** of hours that are closed: counted in the first hour that is not */
  readonly bookedForward: number
  /** counted with less detail, since their domain had too many kinds of them within the hour, see {@link foldedPolicy} */
  readonly folded: number
}

/** Which counts of sessions to add up. Empty fields do not restrict. */
export interface SessionQuery {
  readonly period: Period
  readonly domain?: string
}

export interface OutcomeStore {
  add(batch: Batch, now: number): Promise<Done<Added>>
  /** The same at once, for the end of the process; absent: the engine cannot do anything at once. */
  readonly addNow?: (batch: Batch, now: number) => Done<Added>

  /**
   * Closes all hours that end by `instant` (a full hour): what arrives later for them is booked forward, so that no report misses what
   * is added after it was composed. Never goes back.
   *
   * @returns the instant before which all hours are closed now
   */
  close(instant: number): Promise<Done<number>>
  /** Opens the hours from `instant` on again, which a wrong clock has closed. Absent: the engine cannot. */
  readonly reopen?: (instant: number) => Promise<Done<void>>
  /** The first hour that has outcomes, and is kept; undefined: there are none. */
  firstHour(): Promise<Done<number | undefined>>

  /** The domains that have outcomes in a period, in the order of their names, `limit` of them behind `after`. */
  domainsOf(period: Period, after: string, limit: number): Promise<Done<readonly string[]>>
  /**
   * All that a report on one domain says of a period; nothing where there is nothing to say. {@link MOST_QUOTED_POLICIES} of its policies
   * are quoted.
   */
  policiesOf(domain: string, period: Period): Promise<Done<readonly PolicyFacts[]>>
  /** The same for some tens of domains, in their order: what many reports are made of is better read together. */
  policiesOfEach(domains: readonly string[], period: Period): Promise<Done<readonly (readonly PolicyFacts[])[]>>
  /** Counts of sessions, hour by hour. */
  sessionsOf(query: SessionQuery): Promise<Done<readonly SessionCount[]>>

  /** Removes all UTC days that end by `before`. Short pieces of work: deliveries go on meanwhile. */
  removeOld(before: number): Promise<Done<void>>
  /** Ends the use of the store. What has not been written by then is for whoever wrote it to keep. */
  end(): void
}
