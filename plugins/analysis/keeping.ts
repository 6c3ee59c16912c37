/**
 * Keeps a report that has been read: once, counted or apart, and logs it.
 *
 * @module
 */

import { quote } from '../lib/dns'
import { keep, waysOf, type Arrival, type KeptReport, type ReceivedStore } from '../lib/tlsrpt/received'
import type { AnalysisSettings } from '../lib/settings'
import type { Log } from '../lib/store'
import { reportLines } from './log-lines'
import type { OursTest } from './our-domains'

export interface Keeper {
  readonly settings: AnalysisSettings
  readonly store: ReceivedStore
  readonly isOurs: OursTest
  readonly log: Log
  readonly count: (result: 'accepted' | 'unverified' | 'duplicate' | 'foreign' | 'invalid') => void
  /** Failures of one result type that a report which counts tells of; `isOurs`: of a domain of ours. */
  readonly countFailures: (result: string, isOurs: boolean, count: number) => void
}

export interface Keeping {
  readonly report: KeptReport
  /** `lost`: the store did not take it; `noted`: it is not to be stored, but has been logged */
  readonly state: 'new' | 'known' | 'noted' | 'lost'
}

/**
 * Keeps a report and logs it.
 *
 * @param from - where it came from, for the log: the message, or the client
 * @param why - it does not count, where it is not signed
 */
export async function keepReport(keeper: Keeper, arrival: Arrival, from: string, why: string): Promise<Keeping> {
  const { settings, store, isOurs, log, count } = keeper
  const report = keep(arrival, isOurs, settings.requireDkim)
  const { id, signedBy, organization } = report.entry
  const added = settings.store === 'never' ? undefined : await store.add(report)
  if (added?.ok === true && added.value === 'known') {
    log('info', `${from}: TLS report ${id} of ${signedBy ?? quote(organization)} is here already`)
    count('duplicate')
    return { report, state: 'known' }
  }
  count(report.entry.isCounted ? 'accepted' : report.ours.includes(true) ? 'unverified' : 'foreign')
  if (report.entry.isCounted) countFailures(keeper, report)
  for (const { level, text } of reportLines(report, why)) log(level, `${from}: ${text}`)
  for (const note of report.notes.slice(0, 5)) log('debug', `${from}: TLS report ${id}: ${note.code}: ${note.text}`)
  if (added === undefined) return { report, state: 'noted' }
  if (!added.ok) log('warn', `${from}: TLS report ${id} could not be kept: ${added.text}`)
  return { report, state: added.ok ? 'new' : 'lost' }
}

function countFailures(keeper: Keeper, { report, ours }: KeptReport): void {
  for (const [index, policy] of report.policies.entries())
    for (const { result, count } of waysOf([policy])) keeper.countFailures(result, ours[index] === true, count)
}
