/**
 * Which of our hosts fails, how, since when and for whom: what all reports of some days say together.
 *
 * @module
 */

import { sumOf, type ReceivedDetail, type ReceivedPolicy, type ReportSum } from '../tlsrpt-reading'
import type { KeptReport } from './kept'

/** Sessions that failed in the same way, for all who reported it. */
export interface FailureSummary {
  /** the policy domain */
  readonly domain: string
  readonly type: ReceivedPolicy['type']
  /** the MX host, by name or address; undefined: the reports do not say, or there was none */
  readonly host: string | undefined
  readonly result: string
  readonly reason: string | undefined
  readonly count: number
  /** when the first report that says so begins, and when the last one ends: milliseconds since 1970 */
  readonly since: number
  readonly until: number
  /** who says so: the domain that signed, or else the organization in its own words */
  readonly reporters: readonly string[]
}

export interface DomainSummary {
  readonly domain: string
  readonly sum: ReportSum
}

export interface Summary {
  readonly reports: number
  /** by name */
  readonly domains: readonly DomainSummary[]
  /** the most frequent first */
  readonly failures: readonly FailureSummary[]
  /** false: there were more ways to fail than anybody would look at, and some are left out */
  readonly isComplete: boolean
}

export interface Summing {
  add(kept: KeptReport): void
  summary(): Summary
}

const MOST_FAILURES = 10_000
const MOST_REPORTERS = 20

type Failure = { -readonly [Field in keyof FailureSummary]: FailureSummary[Field] } & { readonly reporters: string[] }

/** Adds up reports that count, as far as they are about us. */
export function createSumming(): Summing {
  const domains = new Map<string, ReceivedPolicy[]>()
  const failures = new Map<string, Failure>()
  let reports = 0
  let isComplete = true

  const note = (policy: ReceivedPolicy, detail: ReceivedDetail, { entry }: KeptReport): void => {
    const { domain = '', type } = policy
    const host = detail.receivingHost ?? detail.receivingAddress
    const key = JSON.stringify([domain, type, host, detail.type, detail.reason])
    let failure = failures.get(key)
    if (failure === undefined && failures.size >= MOST_FAILURES) {
      isComplete = false
      return
    }
    failure ??= newFailure({ domain, type, host, result: detail.type, reason: detail.reason })
    failures.set(key, failure)
    failure.count += detail.count
    failure.since = Math.min(failure.since, entry.start)
    failure.until = Math.max(failure.until, entry.end)
    const reporter = entry.signedBy ?? entry.organization
    if (failure.reporters.length < MOST_REPORTERS && !failure.reporters.includes(reporter))
      failure.reporters.push(reporter)
  }

  return {
    add: (kept) => {
      reports++
      for (const [index, policy] of kept.report.policies.entries()) {
        if (kept.ours[index] !== true) continue
        const { domain = '' } = policy
        domains.set(domain, [...(domains.get(domain) ?? []), { ...policy, strings: [], mx: [] }])
        for (const detail of policy.details) note(policy, detail, kept)
      }
    },
    summary: () => ({
      reports,
      domains: [...domains].map(([domain, policies]) => ({ domain, sum: sumOf(policies) })).sort(byDomain),
      failures: [...failures.values()].sort((a, b) => b.count - a.count || b.until - a.until || byDomain(a, b)),
      isComplete,
    }),
  }
}

function newFailure(what: Pick<FailureSummary, 'domain' | 'type' | 'host' | 'result' | 'reason'>): Failure {
  return { ...what, count: 0, since: Infinity, until: -Infinity, reporters: [] }
}

function byDomain(a: { readonly domain: string }, b: { readonly domain: string }): number {
  return a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0
}
