/**
 * What is known of a domain's MTA-STS policy when a delivery begins (RFC 8461 §3.3, §5.1). It decides nothing: that is up to
 * the settings.
 *
 * @module
 */

import type { StsPolicy } from './policy'

/** A fetch that failed, in the words of TLS reports (RFC 8460 §4.3, R11). */
export interface FetchFailure {
  readonly type: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'
  /** for people; remote text in it is quoted and cut */
  readonly text: string
}

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
