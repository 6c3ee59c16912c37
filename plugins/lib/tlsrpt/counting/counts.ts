/**
 * What is counted, and how it is asked for.
 *
 * @module
 */

import { HOUR } from '../../time'
import type { AppliedPolicy, FailureFacts, Period } from '../format'
import type { SessionOutcome } from './session'

export const HOURS_A_DAY = 24

/** How sessions failed, without how many. */
export type FailureKind = Omit<FailureFacts, 'count'>

/** Sessions that went alike under one policy. */
export interface PolicyCount {
  /** the beginning of the UTC hour they happened in, in milliseconds since 1970 */
  readonly hour: number
  /** the recipient domain, or the relay's name: whose TLSRPT record decides who is told (R1) */
  readonly domain: string
  readonly policy: AppliedPolicy
  /** undefined: they succeeded */
  readonly failure: FailureKind | undefined
  readonly count: number
}

/** Sessions that came to the same. */
export interface LevelCount {
  readonly hour: number
  readonly level: Exclude<SessionOutcome['level'], 'policy-fetch'>
  readonly tlsVersion: string | undefined
  readonly count: number
}

/** Sessions as people look at them, whatever policies applied. */
export interface SessionCount extends LevelCount {
  readonly domain: string
  /** undefined: there was none, as for an MX lookup that was bogus; or one of those that were folded, see {@link MOST_SESSION_KINDS} */
  readonly host: string | undefined
}

/** What one worker has seen within one batch interval. */
export interface Batch {
  /** who writes it: a process, or what it began afresh */
  readonly writer: string
  /**
   * A writer's batches are added one after the other, their numbers growing. One that is added again, since it is not known whether it
   * arrived, counts once: no number counts that is not larger than the last one of its writer.
   */
  readonly number: number
  readonly policies: readonly PolicyCount[]
  readonly sessions: readonly SessionCount[]
}

/** The result of adding a batch. Its numbers are of sessions as policies count them. */
export interface Added {
  /** false: this batch was there already, and nothing was counted */
  readonly isNew: boolean
  /** of hours that are closed: counted in the first hour that is not */
  readonly bookedForward: number
  /** counted with less detail, since their domain had too many kinds of them within the hour, see {@link foldedPolicy} */
  readonly folded: number
}

/** Which counts of sessions to read. */
export interface SessionQuery {
  readonly period: Period
  readonly domain: string
}

/** Days that have any hours in a period, and these hours: from the first, up to but without the last. Counted from 1970. */
export interface Hours {
  readonly days: readonly number[]
  readonly from: number
  readonly to: number
}

export function hoursOf({ start, end }: Period): Hours {
  const [from, to] = [Math.floor(start / HOUR), Math.floor(end / HOUR)]
  const first = Math.floor(from / HOURS_A_DAY)
  const days = Math.max(0, Math.ceil(to / HOURS_A_DAY) - first)
  return { days: Array.from({ length: days }, (_, index) => first + index), from, to }
}
