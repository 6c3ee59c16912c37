/**
 * All policies in the cache, in short: so that those in trouble can be shown first, and counted.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { ListedPolicy, StsCache } from '../../lib/mta-sts'
import type { Done } from '../../lib/store'
import { policyView, type PolicyView } from '../../views'

/** A policy without what it says. */
export type PolicySummary = Omit<PolicyView, 'mx' | 'maxAge' | 'text' | 'notes'>

export interface PolicyScan {
  /** in trouble first, then by name */
  readonly policies: readonly PolicySummary[]
  /** false: there are more */
  readonly isComplete: boolean
}

/** Read in one go: about two milliseconds. */
const PIECE = 100
const MOST = 20_000

export async function scanPolicies(cache: StsCache, now: number): Promise<Done<PolicyScan>> {
  const policies: PolicySummary[] = []
  for (;;) {
    const done = await cache.policiesBehind(policies.at(-1)?.domain ?? '', PIECE)
    if (!done.ok) return done
    policies.push(...done.value.map((entry) => summaryOf(entry, now)))
    if (done.value.length < PIECE || policies.length >= MOST) break
    await setImmediate()
  }
  const isComplete = policies.length < MOST
  const rank = (one: PolicySummary): number => Number(!isInTrouble(one))
  return { ok: true, value: { policies: policies.sort((a, b) => rank(a) - rank(b)), isComplete } }
}

/** Whether it could not be refreshed since it was fetched, or must not be applied any more. */
export function isInTrouble({ failedRefreshes, expired }: PolicySummary): boolean {
  return failedRefreshes > 0 || expired
}

function summaryOf(entry: ListedPolicy, now: number): PolicySummary {
  const { mx: _mx, maxAge: _maxAge, text: _text, notes: _notes, lastFailure, ...summary } = policyView(entry, now)
  return { ...summary, lastFailure: lastFailure && { ...lastFailure, text: lastFailure.text.slice(0, 500) } }
}
