/**
 * A cached MTA-STS policy, and a fetch that failed.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy, StsMode, StsPolicy } from '../lib/mta-sts'
import { timeOf, timeOrNull, type Time } from './time'

/** A policy without what stands in it but for its mode. */
export interface PolicySummaryView {
  readonly domain: string
  readonly id: string
  readonly mode: StsMode
  readonly fetchedAt: Time | null
  readonly expiresAt: Time | null
  readonly expired: boolean
  readonly refreshAt: Time | null
  readonly lastUsedAt: Time | null
  readonly failedRefreshes: number
  readonly lastFailure: FetchFailureView | null
}

export interface PolicyView extends PolicySummaryView, Omit<StsPolicy, 'mode'> {}

export interface FetchFailureView {
  /** of the record; null: it had none, or could not be read */
  readonly id: string | null
  readonly at: Time | null
  /** of RFC 8460 §4.3 */
  readonly type: string
  readonly text: string
}

export function policySummaryView(entry: ListedPolicy, now: number): PolicySummaryView {
  const { domain, id, policy, fetchedAt, expiresAt, refreshAt, usedAt, failures, lastFailure } = entry
  return {
    ...{ domain, id, mode: policy.mode },
    fetchedAt: timeOf(fetchedAt),
    expiresAt: timeOf(expiresAt),
    expired: expiresAt <= now,
    refreshAt: timeOrNull(refreshAt),
    lastUsedAt: timeOf(usedAt),
    failedRefreshes: failures,
    lastFailure: fetchFailureView(lastFailure),
  }
}

export function policyView(entry: ListedPolicy, now: number): PolicyView {
  const { mx, maxAge, text, notes } = entry.policy
  return { ...policySummaryView(entry, now), mx, maxAge, text, notes }
}

export function fetchFailureView(failed: FailedFetch | undefined): FetchFailureView | null {
  if (failed === undefined) return null
  const { id, at, failure } = failed
  return { id: id === '' ? null : id, at: timeOf(at), type: failure.type, text: failure.text }
}
