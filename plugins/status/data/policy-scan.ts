/**
 * All policies in the cache, in short: so that those in trouble can be shown first, and counted.
 *
 * @module
 */

import type { ListedPolicy, StsCache } from '../../lib/mta-sts'
import type { Done } from '../../lib/store'
import { eachEntry } from '../../runtime/paging'
import type { ShortPolicy } from '../../views'

export interface PolicyScan {
  /** in trouble first, then by name */
  readonly policies: readonly ShortPolicy[]
  /** false: there are more */
  readonly isComplete: boolean
}

/** Read in one go: about two milliseconds. */
const PIECE = 100
const MOST = 20_000
/** Of why a fetch failed: so many of them take no more memory. */
const LONGEST_TEXT = 500

export async function scanPolicies(cache: StsCache, now: number): Promise<Done<PolicyScan>> {
  const policies: ShortPolicy[] = []
  const read = (after: ListedPolicy | undefined, limit: number) => cache.policiesBehind(after?.domain ?? '', limit)
  const done = await eachEntry({ size: PIECE, most: MOST, read }, (entry) => policies.push(inShort(entry)))
  if (!done.ok) return done
  const isComplete = policies.length < MOST
  const rank = (one: ShortPolicy): number => Number(!isInTrouble(one, now))
  return { ok: true, value: { policies: policies.sort((a, b) => rank(a) - rank(b)), isComplete } }
}

/** Whether it could not be refreshed since it was fetched, or must not be applied any more. */
export function isInTrouble({ failures, expiresAt }: ShortPolicy, now: number): boolean {
  return failures > 0 || expiresAt <= now
}

function inShort({ policy: { mode }, lastFailure, ...entry }: ListedPolicy): ShortPolicy {
  const failure = lastFailure && { ...lastFailure.failure, text: lastFailure.failure.text.slice(0, LONGEST_TEXT) }
  return { ...entry, policy: { mode }, lastFailure: lastFailure && failure && { ...lastFailure, failure } }
}
