/**
 * All policies in the cache, in short: so that those in trouble can be shown first, and counted.
 *
 * @module
 */

import type { ListedPolicy, StsCache } from '../../lib/mta-sts'
import type { Done } from '../../lib/store'
import { eachEntry } from '../../runtime/paging'
import { policySummaryView, type PolicySummaryView } from '../../views'

export interface PolicyScan {
  /** in trouble first, then by name */
  readonly policies: readonly PolicySummaryView[]
  /** false: there are more */
  readonly isComplete: boolean
}

/** Read in one go: about two milliseconds. */
const PIECE = 100
const MOST = 20_000
/** Of why a fetch failed: so many of them take no more memory. */
const LONGEST_TEXT = 500

export async function scanPolicies(cache: StsCache, now: number): Promise<Done<PolicyScan>> {
  const policies: PolicySummaryView[] = []
  const read = (after: ListedPolicy | undefined, limit: number) => cache.policiesBehind(after?.domain ?? '', limit)
  const done = await eachEntry({ size: PIECE, most: MOST, read }, (entry) => policies.push(summaryOf(entry, now)))
  if (!done.ok) return done
  const isComplete = policies.length < MOST
  const rank = (one: PolicySummaryView): number => Number(!isInTrouble(one))
  return { ok: true, value: { policies: policies.sort((a, b) => rank(a) - rank(b)), isComplete } }
}

/** Whether it could not be refreshed since it was fetched, or must not be applied any more. */
export function isInTrouble({ failedRefreshes, expired }: PolicySummaryView): boolean {
  return failedRefreshes > 0 || expired
}

function summaryOf(entry: ListedPolicy, now: number): PolicySummaryView {
  const { lastFailure, ...summary } = policySummaryView(entry, now)
  return { ...summary, lastFailure: lastFailure && { ...lastFailure, text: lastFailure.text.slice(0, LONGEST_TEXT) } }
}
