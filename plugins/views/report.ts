/**
 * A TLS report of ours, as the ledger has it.
 *
 * @module
 */

import { periodText, type Destination, type ReportEntry } from '../lib/tlsrpt/sending'
import { timeOf, timeOrNull } from './time'

export type ReportView = ReturnType<typeof reportView>

export function reportView(entry: ReportEntry) {
  const { domain, reportId, state, dueAt, firstTriedAt, destinations, note, sessions, size } = entry
  return {
    ...{ domain, period: periodView(entry), reportId, state },
    ...{ dueAt: timeOf(dueAt), firstTriedAt: timeOrNull(firstTriedAt), sessions: sessions ?? null, size },
    ...{ destinations: destinations.map(destinationView), note: note ?? null },
  }
}

function destinationView({ rua, state, attempts, nextAt, note }: Destination) {
  return { rua, state, attempts, nextAt: timeOf(nextAt), note: note ?? null }
}

/** `end` belongs to the next period. */
export function periodView({ start, end }: { readonly start: number; readonly end: number }) {
  return { text: periodText({ start, end }), start: timeOf(start), end: timeOf(end) }
}
