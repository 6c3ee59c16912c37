/**
 * What is known of a domain's MTA-STS policy when a delivery begins (RFC 8461 §3.3, §5.1). It decides nothing: that is up to
 * the settings.
 *
 * @module
 */

import { isoTime } from '../time'
import { expiryOf, type CachedPolicy } from './cached-policy'
import type { FetchFailure } from './failure'
import type { StsPolicy } from './policy'

/** Why there is no policy, or why the one there is does not come from a fetch just now. */
export type StsReason =
  | 'no-record'
  | 'several-records'
  | 'malformed-record'
  | 'lookup-failed'
  | 'fetch-failed'
  /** a fetch failed less than five minutes ago, and was not tried again (T15) */
  | 'backed-off'
  | 'cache-unreadable'

/** The policy that applies to a domain now, or why there is none. */
export interface StsEvidence {
  /**
   * - `policy`: one applies, see `policy`
   * - `none`: none is available and none is cached, as far as can be known (T17)
   * - `failed`: the cache cannot be read, so that a policy may be in force, and nothing could be learnt live either
   */
  readonly status: 'policy' | 'none' | 'failed'
  readonly policy?: StsPolicy
  /** `cached-after-failure`: the record or the policy itself could not be had just now (T18) */
  readonly source?: 'fetched' | 'cached' | 'cached-after-failure'
  readonly fetchedAt?: Date
  readonly expiresAt?: Date
  readonly why?: StsReason
  /** a fetch that really took place for this delivery and failed: to be reported, once */
  readonly fetchFailure?: FetchFailure & { readonly id: string }
  /** for people */
  readonly text: string
}

/** A policy that has been fetched just now. */
export function fetchedEvidence(entry: CachedPolicy, now: number): StsEvidence {
  return policyEvidence(entry, now, 'fetched', 'just fetched')
}

/** A cached policy whose id is still the announced one. */
export function cachedEvidence(entry: CachedPolicy, now: number): StsEvidence {
  return policyEvidence(entry, now, 'cached', `fetched ${isoTime(entry.fetchedAt)}`)
}

/** A cached policy that applies although nothing could be learnt just now (T18). */
export function survivingEvidence(
  entry: CachedPolicy,
  now: number,
  { why, text, ...failure }: Pick<StsEvidence, 'fetchFailure'> & { readonly why: StsReason; readonly text: string },
): StsEvidence {
  const evidence = policyEvidence(
    entry,
    now,
    'cached-after-failure',
    `fetched ${isoTime(entry.fetchedAt)}; now: ${text}`,
  )
  return { ...evidence, why, ...failure }
}

function policyEvidence(
  entry: CachedPolicy,
  now: number,
  source: StsEvidence['source'] & string,
  how: string,
): StsEvidence {
  const { policy, fetchedAt, id } = entry
  return {
    status: 'policy',
    policy,
    source,
    fetchedAt: new Date(fetchedAt),
    expiresAt: new Date(expiryOf(entry, now)),
    text: `MTA-STS policy of mode ${policy.mode}, id ${id}, ${how}`,
  }
}
