/**
 * The MTA-STS policies in the cache.
 *
 * @module
 */

import { toAsciiDomain } from '../../lib/dns'
import type { ListedPolicy, StsMode } from '../../lib/mta-sts'
import { timeOf, timeOrNull, type Answer, type Time } from './answer'
import { isInTrouble, type ScannedPolicy } from './policy-scan'
import type { Sources } from './sources'

export interface ShownPolicy {
  readonly domain: string
  readonly mode: StsMode
  readonly fetchedAt: Time | null
  readonly expiresAt: Time | null
  readonly expired: boolean
  readonly failedRefreshes: number
  readonly failure: string | null
}

export interface PoliciesData {
  readonly schema: 1
  readonly at: Time | null
  readonly search: string
  /** of all that were found: at least so many, see `complete` */
  readonly total: number
  /** could not be refreshed, or have expired */
  readonly troubled: number
  readonly byMode: Readonly<Record<StsMode, number>>
  /** false: the cache holds more policies than are looked through */
  readonly complete: boolean
  /** in trouble first, then by name */
  readonly policies: readonly ShownPolicy[]
  /** `from` of the next page; null: this is the last one */
  readonly next: number | null
}

const PAGE = 100

export async function readPolicies(sources: Sources, query: URLSearchParams): Promise<Answer<PoliciesData>> {
  const done = await sources.policyScan()
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  const now = sources.now()
  const search = readSearch(query)
  const from = readNumber(query.get('from'))
  const { policies, isComplete } = done.value
  const found = search === '' ? policies : policies.filter(({ domain }) => domain.includes(search))
  const byMode = { enforce: 0, testing: 0, none: 0 }
  for (const { mode } of found) byMode[mode]++
  const data: PoliciesData = {
    schema: 1,
    at: timeOf(now),
    search,
    total: found.length,
    troubled: found.filter((one) => isInTrouble(one, now)).length,
    byMode,
    complete: isComplete,
    policies: found.slice(from, from + PAGE).map((one) => shownPolicy(one, now)),
    next: found.length > from + PAGE ? from + PAGE : null,
  }
  return { ok: true, data }
}

function shownPolicy({ domain, mode, failures, failure, ...one }: ScannedPolicy, now: number): ShownPolicy {
  const [fetchedAt, expiresAt] = [timeOf(one.fetchedAt), timeOf(one.expiresAt)]
  const expired = one.expiresAt <= now
  return { domain, mode, fetchedAt, expiresAt, expired, failedRefreshes: failures, failure: failure ?? null }
}

/** A part of a name, as names are stored. */
export function readSearch(query: URLSearchParams): string {
  const text = (query.get('search') ?? '').trim().slice(0, 253)
  return toAsciiDomain(text) ?? text.toLowerCase()
}

function readNumber(text: string | null): number {
  const number = Number(text)
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}

/** All that is known about one policy; the same fields as `outbound-tls sts show --json` has. */
export interface PolicyDetails {
  readonly domain: string
  readonly id: string
  readonly mode: StsMode
  readonly mx: readonly string[]
  /** seconds */
  readonly maxAge: number
  readonly text: string
  readonly notes: readonly string[]
  readonly fetchedAt: Time | null
  readonly expiresAt: Time | null
  readonly expired: boolean
  readonly refreshAt: Time | null
  readonly lastUsedAt: Time | null
  readonly failedRefreshes: number
  readonly lastFailure: ShownFailure | null
}

export interface ShownFailure {
  /** of the record; null: it had none, or could not be read */
  readonly id: string | null
  readonly at: Time | null
  readonly type: string
  readonly text: string
}

export function shownFailure(failed: ListedPolicy['lastFailure']): ShownFailure | null {
  if (failed === undefined) return null
  const { id, at, failure } = failed
  return { id: id === '' ? null : id, at: timeOf(at), type: failure.type, text: failure.text }
}

export function policyDetails(entry: ListedPolicy, now: number): PolicyDetails {
  const { domain, id, policy, fetchedAt, expiresAt, refreshAt, usedAt, failures, lastFailure } = entry
  const { mode, mx, maxAge, text, notes } = policy
  return {
    ...{ domain, id, mode, mx, maxAge, text, notes },
    fetchedAt: timeOf(fetchedAt),
    expiresAt: timeOf(expiresAt),
    expired: expiresAt <= now,
    refreshAt: timeOrNull(refreshAt),
    lastUsedAt: timeOf(usedAt),
    failedRefreshes: failures,
    lastFailure: shownFailure(lastFailure),
  }
}
