/**
 * All policies in the cache, in short: so that those in trouble can be shown first, and counted.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { ListedPolicy, StsCache, StsMode } from '../../lib/mta-sts'
import type { Done } from '../../lib/store'

export interface ScannedPolicy {
  readonly domain: string
  readonly mode: StsMode
  readonly fetchedAt: number
  readonly expiresAt: number
  /** refreshes in a row that failed */
  readonly failures: number
  /** why the latest fetch failed; undefined: it did not */
  readonly failure: string | undefined
}

export interface PolicyScan {
  /** in trouble first, then by name */
  readonly policies: readonly ScannedPolicy[]
  /** false: there are more */
  readonly isComplete: boolean
}

/** Read in one go: about two milliseconds. */
const PIECE = 100
const MOST = 20_000

export async function scanPolicies(cache: StsCache, now: number): Promise<Done<PolicyScan>> {
  const policies: ScannedPolicy[] = []
  for (;;) {
    const done = await cache.policiesBehind(policies.at(-1)?.domain ?? '', PIECE)
    if (!done.ok) return done
    policies.push(...done.value.map(scanned))
    if (done.value.length < PIECE || policies.length >= MOST) break
    await setImmediate()
  }
  const isComplete = policies.length < MOST
  const rank = (one: ScannedPolicy): number => Number(!isInTrouble(one, now))
  return { ok: true, value: { policies: policies.sort((a, b) => rank(a) - rank(b)), isComplete } }
}

/** Whether it could not be refreshed since it was fetched, or must not be applied any more. */
export function isInTrouble({ failures, expiresAt }: ScannedPolicy, now: number): boolean {
  return failures > 0 || expiresAt <= now
}

function scanned({ domain, policy, fetchedAt, expiresAt, failures, lastFailure }: ListedPolicy): ScannedPolicy {
  const failure = lastFailure && `${lastFailure.failure.type}: ${lastFailure.failure.text}`
  return { domain, mode: policy.mode, fetchedAt, expiresAt, failures, failure: failure?.slice(0, 500) }
}
