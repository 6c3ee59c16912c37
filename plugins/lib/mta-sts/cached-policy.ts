/**
 * A policy as it is cached.
 *
 * @module
 */

import type { FetchFailure } from './failure'
import type { StsMode, StsPolicy } from './policy'

/** A policy as it was fetched. Times are milliseconds since 1970. */
export interface CachedPolicy {
  /** the policy domain */
  readonly domain: string
  /** of the record under which it was fetched */
  readonly id: string
  readonly policy: StsPolicy
  readonly fetchedAt: number
  /** when it was last applied to a delivery, to the day */
  readonly usedAt: number
  /** when it is to be fetched again in the background; undefined: never */
  readonly refreshAt: number | undefined
  /** background fetches that failed since it was fetched */
  readonly failures: number
}

/** A fetch that failed. */
export interface FailedFetch {
  readonly id: string
  readonly at: number
  readonly failure: FetchFailure
}

/** What `outbound-tls sts show` has to show. */
export interface ListedPolicy extends CachedPolicy {
  readonly expiresAt: number
  /** the latest one; it may be of a later id than the policy */
  readonly lastFailure: FailedFetch | undefined
}

/** Which policies are to be fetched again. */
export interface DueQuery {
  readonly now: number
  /** only those that were used since */
  readonly usedSince: number
  /** no policy is planned further ahead: one that seems to be was planned before the clock was set back */
  readonly horizon: number
  readonly limit: number
}

/** How many policies there are. */
export interface PolicyCensus {
  readonly modes: Readonly<Record<StsMode, number>>
  /** that could not be refreshed when that was last tried */
  readonly failing: number
}

/**
 * Until when a policy may be applied. It counts from the fetch (RFC 8461 §3.2), but never from a time that is still to come: the
 * clock has been set back then, and a policy must not outlive its max_age by it.
 */
export function expiryOf({ fetchedAt, policy }: Pick<CachedPolicy, 'fetchedAt' | 'policy'>, now: number): number {
  return Math.min(fetchedAt, now) + policy.maxAge * 1000
}

/** Whether a policy may be applied now. */
export function isValid(entry: CachedPolicy, now: number): boolean {
  return now < expiryOf(entry, now)
}
