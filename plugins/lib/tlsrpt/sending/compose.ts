/**
 * What a report on one domain says.
 *
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { composeReport, fitReport, type FittedReport, type PolicyFacts } from '../format'
import type { NewReport } from './entry'
import { reportingOf, type ReporterSettings } from './settings'

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
  const facts = { organization, contact, reportId, period: { start, end }, policies }
  const { report } = composeReport(facts)
  await nextTurn()
  return fitReport(report, reportingOf(settings, domain).maxSize)
}
