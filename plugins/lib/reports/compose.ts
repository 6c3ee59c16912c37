/**
 * What a report on one domain says.
 *
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { foldedPolicy } from '../outcomes'
import { composeReport, fitReport, type FittedReport, type PolicyFacts } from '../tlsrpt'
import type { NewReport } from './ledger'
import { reportingOf, type ReporterSettings } from './settings'

/**
 * Policies in one report before others are folded. Whoever has a new one for each session would otherwise have us compose tens of
 * megabytes, with deliveries waiting: the bounds of an hour allow thousands of them in a week.
 */
export const MOST_REPORTED_POLICIES = 100

/**
 * Composes a report, and folds it where it is too large. Deliveries go on in between.
 *
 * @throws {@link ReportError} where it cannot be said: a mistake of ours
 */
export async function compose(
  { domain, start, end, reportId }: Omit<NewReport, 'dueAt'>,
  policies: readonly PolicyFacts[],
  settings: ReporterSettings,
): Promise<FittedReport> {
  const { organization, contact } = settings
  await nextTurn()
  const facts = { organization, contact, reportId, period: { start, end }, policies: bounded(domain, policies) }
  const { report } = composeReport(facts)
  await nextTurn()
  return fitReport(report, reportingOf(settings, domain).maxSize)
}

/** Those with the most sessions are quoted; the others lose their strings, and their sums stay. */
function bounded(domain: string, policies: readonly PolicyFacts[]): readonly PolicyFacts[] {
  if (policies.length <= MOST_REPORTED_POLICIES) return policies
  const sessions = ({ successes, failures }: PolicyFacts): number => successes + failures
  return policies
    .toSorted((a, b) => sessions(b) - sessions(a))
    .map((facts, rank) =>
      rank < MOST_REPORTED_POLICIES ? facts : { ...facts, policy: foldedPolicy(domain, facts.policy) },
    )
}
