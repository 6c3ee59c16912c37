/**
 * The MTA-STS policies in the cache.
 *
 * @module
 */

import { toAsciiDomain } from '../../lib/dns'
import type { StsMode } from '../../lib/mta-sts'
import type { PolicySummaryView } from '../../views'
import type { Answer } from './answer'
import { isInTrouble } from './policy-scan'
import type { Sources } from './sources'

export interface PoliciesData {
  readonly search: string
  /** of all that were found: at least so many, see `complete` */
  readonly total: number
  /** could not be refreshed, or have expired */
  readonly troubled: number
  readonly byMode: Readonly<Record<StsMode, number>>
  /** false: the cache holds more policies than are looked through */
  readonly complete: boolean
  /** in trouble first, then by name */
  readonly policies: readonly PolicySummaryView[]
  /** `from` of the next page; null: this is the last one */
  readonly next: number | null
}

const PAGE = 100

export async function readPolicies(sources: Sources, query: URLSearchParams): Promise<Answer<PoliciesData>> {
  const done = await sources.policyScan()
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  const search = readSearch(query)
  const from = readNumber(query.get('from'))
  const { policies, isComplete } = done.value
  const found = search === '' ? policies : policies.filter(({ domain }) => domain.includes(search))
  const byMode = { enforce: 0, testing: 0, none: 0 }
  for (const { mode } of found) byMode[mode]++
  const data: PoliciesData = {
    search,
    total: found.length,
    troubled: found.filter(isInTrouble).length,
    byMode,
    complete: isComplete,
    policies: found.slice(from, from + PAGE),
    next: found.length > from + PAGE ? from + PAGE : null,
  }
  return { ok: true, data }
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
