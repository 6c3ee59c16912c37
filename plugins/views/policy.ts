/**
 * A cached MTA-STS policy, and a fetch that failed.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy } from '../lib/mta-sts'
import { timeOf, timeOrNull } from './time'

export type PolicySummaryView = ReturnType<typeof policySummaryView>
export type PolicyView = ReturnType<typeof policyView>
export type FetchFailureView = NonNullable<ReturnType<typeof fetchFailureView>>

/** A policy without what stands in it but for its mode. */
export function policySummaryView(entry: ListedPolicy, now: number) {
  const { domain, id, policy, fetchedAt, expiresAt, refreshAt, usedAt, failures, lastFailure } = entry
  return {
    ...{ domain, id, mode: policy.mode },
    ...{ fetchedAt: timeOf(fetchedAt), expiresAt: timeOf(expiresAt), expired: expiresAt <= now },
    ...{ refreshAt: timeOrNull(refreshAt), lastUsedAt: timeOf(usedAt), failedRefreshes: failures },
    lastFailure: fetchFailureView(lastFailure),
  }
}

export function policyView(entry: ListedPolicy, now: number) {
  const { mx, maxAge, text, notes } = entry.policy
  return { ...policySummaryView(entry, now), mx, maxAge, text, notes }
}

export function fetchFailureView(failed: FailedFetch | undefined) {
  if (failed === undefined) return null
  const { id, at, failure } = failed
  return { id: id === '' ? null : id, at: timeOf(at), type: failure.type, text: failure.text }
}
