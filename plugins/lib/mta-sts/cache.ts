/**
 * What a store of policies must be able to do. SQLite does it for one machine; another engine can follow behind the same interface.
 *
 * Nothing here rejects: what could not be done is a result, and a delivery goes on with what it has.
 *
 * @module
 */

import type { Done } from '../store'
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

export interface StsCache {
  read(domain: string): Promise<Done<CachedPolicy | undefined>>
  /** Replaces what there was, and forgets failed fetches of the domain. */
  save(entry: CachedPolicy): Promise<Done<void>>
  /** Differs from the last answer when anyone else may have changed anything. Cheap. */
  generation(): Promise<Done<string>>

  /** Reserves a domain for a fetch of ours until then; false: another process has reserved it. */
  claim(domain: string, owner: string, now: number, until: number): Promise<Done<boolean>>
  /** Makes a claim that is still held last until then. */
  renewClaim(domain: string, owner: string, now: number, until: number): Promise<Done<void>>
  release(domain: string, owner: string): Promise<Done<void>>
  failedFetch(domain: string, id: string): Promise<Done<FailedFetch | undefined>>
  noteFailedFetch(domain: string, failed: FailedFetch): Promise<Done<void>>

  due(query: DueQuery): Promise<Done<readonly string[]>>
  /** @returns how many in a row have failed now */
  noteFailedRefresh(domain: string, nextAt: number): Promise<Done<number>>
  noteUses(uses: ReadonlyMap<string, number>): Promise<Done<void>>
  /** Removes policies that expired before, and what else is older. */
  removeOld(before: number): Promise<Done<void>>

  /** Domains to be fetched again because someone asked for it; each is handed to one process only. */
  takeRequests(): Promise<Done<readonly string[]>>

  // what the command does; running workers follow within seconds
  /** One domain, or all. */
  listPolicies(domain?: string): Promise<Done<readonly ListedPolicy[]>>
  /** Some of all, by their domains, `limit` of them behind `after`: for those who deliver mail meanwhile. */
  policiesBehind(after: string, limit: number): Promise<Done<readonly ListedPolicy[]>>
  /** Those that are in force now. Cheap, however many they are. */
  census(now: number): Promise<Done<PolicyCensus>>
  /** The latest failed fetch of a domain, also where it has no policy. */
  lastFailure(domain: string): Promise<Done<FailedFetch | undefined>>
  requestRefetch(domain: string, now: number): Promise<Done<void>>
  /** Whether no process has taken the request yet. */
  isRequested(domain: string): Promise<Done<boolean>>
  /** @returns whether there was one */
  dropPolicy(domain: string): Promise<Done<boolean>>

  close(): void
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
