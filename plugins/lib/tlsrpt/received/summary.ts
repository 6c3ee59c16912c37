/**
 * Which of our hosts fails, how, since when, and who reports it: what all reports of some days say together.
 *
 * @module
 */

import { sumOf, type ReceivedPolicy, type ReportSum } from '../parsing'
import { byDomain, createFailures, type FailureSummary } from './failures'
import { waysOf, type KeptReport } from './kept'

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

/** Adds up reports that count, as far as they are about us. */
export function createSumming(): Summing {
  const domains = new Map<string, ReceivedPolicy[]>()
  const failures = createFailures()
  let reports = 0

  return {
    add: (kept) => {
      reports++
      for (const [index, policy] of kept.report.policies.entries()) {
        if (kept.ours[index] !== true) continue
        const { domain = '' } = policy
        const known = domains.get(domain) ?? []
        domains.set(domain, known)
        known.push({ ...policy, strings: [], mx: [] })
        for (const way of waysOf([policy])) failures.add(way, kept.entry)
      }
    },
    summary: () => ({
      reports,
      domains: [...domains].map(([domain, policies]) => ({ domain, sum: sumOf(policies) })).sort(byDomain),
      ...failures.all(),
    }),
  }
}
