/**
 * What a report comes to. Its policies overlap: a session under DANE and MTA-STS is counted by both (RFC 8460 §4.2, R8), and by a
 * third one where no TLSA record was usable. A report does not say how many sessions there were; what it says is how many
 * there were under each type of policy, and how many there must have been at least.
 *
 * @module
 */

import type { ReceivedPolicy } from './report'

export interface PolicySum {
  /** sessions */
  readonly successes: number
  /** whatever the report calls a failure: of sessions, and of {@link PolicySum.fetchFailures} */
  readonly failures: number
  /** of these, the policies that could not be fetched or read: a policy host that is down (RFC 8460 §4.3.2) */
  readonly fetchFailures: number
  /** failures by result type, as far as the details say */
  readonly results: ReadonlyMap<string, number>
}

/** Of one report or of several: sessions that succeeded, what failed, and how much of that was fetching the policy. */
export type Totals = Pick<PolicySum, 'successes' | 'failures' | 'fetchFailures'>

export interface ReportSum {
  /** Entries of one type are about different sessions: other hosts, or another time of the day. Those of two types are never added up. */
  readonly byType: Readonly<Partial<Record<ReceivedPolicy['type'], PolicySum>>>
  /** How many there were of each at least: a lower bound, and exact where policies do not overlap. */
  readonly atLeast: Totals
}

const FETCH_RESULTS: ReadonlySet<string> = new Set([
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
])

/** Sums up policies of one report, or of several: no session is in two of them, as long as no report is there twice. */
export function sumOf(policies: readonly ReceivedPolicy[]): ReportSum {
  const byType: Partial<Record<ReceivedPolicy['type'], PolicySum>> = {}
  for (const policy of policies) byType[policy.type] = plus(byType[policy.type], sumOfPolicy(policy))
  const of = (field: keyof Totals): number => atLeast(byType, field)
  return {
    byType,
    atLeast: { successes: of('successes'), failures: of('failures'), fetchFailures: of('fetchFailures') },
  }
}

/** A session has an STS policy or none, so these two do not overlap; those under DANE may all be among them. */
function atLeast(sums: ReportSum['byType'], field: keyof Totals): number {
  const of = (type: ReceivedPolicy['type']): number => sums[type]?.[field] ?? 0
  return Math.max(of('sts') + of('no-policy-found'), of('tlsa'), of('other'))
}

function sumOfPolicy({ successes, failures, details }: ReceivedPolicy): PolicySum {
  const results = new Map<string, number>()
  let fetchFailures = 0
  for (const { type, count } of details) {
    results.set(type, (results.get(type) ?? 0) + count)
    if (FETCH_RESULTS.has(type)) fetchFailures += count
  }
  // details may say more than the summary does
  return { successes, failures, fetchFailures: Math.min(fetchFailures, failures), results }
}

function plus(sum: PolicySum | undefined, more: PolicySum): PolicySum {
  if (sum === undefined) return more
  const results = new Map(sum.results)
  for (const [type, count] of more.results) results.set(type, (results.get(type) ?? 0) + count)
  return {
    successes: sum.successes + more.successes,
    failures: sum.failures + more.failures,
    fetchFailures: sum.fetchFailures + more.fetchFailures,
    results,
  }
}
