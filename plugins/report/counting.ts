/**
 * What of reports is counted for /metrics: attempts at their destinations, and how they end.
 *
 * @module
 */

import type { ReportEntry, ReportLedger, ReportState, Transmit } from '../lib/tlsrpt/sending'
import { monitoring } from '../runtime/monitoring'

/** Counts what comes of each attempt. */
export function countAttempts(transmit: Transmit): Transmit {
  return async (report, rua) => {
    const transmission = await transmit(report, rua)
    monitoring.count('reportAttempts', { scheme: rua.replace(/:.*/s, ''), result: transmission.status })
    return transmission
  }
}

/** Of a mail that had been queued. */
export function countFromQueue(result: 'accepted' | 'failed'): void {
  monitoring.count('reportAttempts', { scheme: 'mailto', result })
}

const ENDS: ReadonlySet<ReportState> = new Set(['sent', 'given-up', 'not-wanted'])

/** Counts each report that comes to its end with a change. */
export function countEnds(ledger: ReportLedger): ReportLedger {
  return {
    ...ledger,
    change: async (entry, change, lease) => {
      const changed = await ledger.change(entry, change, lease)
      if (changed.ok && changed.value) countEnd(entry, changed.value)
      return changed
    },
    recordStatus: async (key, rua, status) => {
      const recorded = await ledger.recordStatus(key, rua, status)
      if (recorded.ok && recorded.value) countEnd(recorded.value.before, recorded.value.after)
      return recorded
    },
  }
}

function countEnd(before: ReportEntry, { state }: ReportEntry): void {
  if (state !== before.state && ENDS.has(state)) monitoring.count('reports', { state })
}
