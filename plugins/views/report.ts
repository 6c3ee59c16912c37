/**
 * A TLS report of ours, as the ledger has it.
 *
 * @module
 */

import { periodText, type Destination, type ReportEntry, type ReportState } from '../lib/reports'
import { timeOf, timeOrNull, type Time } from './time'

export interface PeriodView {
  /** as `--period` of the command takes it */
  readonly text: string
  readonly start: Time | null
  /** belongs to the next period */
  readonly end: Time | null
}

export interface ReportView {
  readonly domain: string
  readonly period: PeriodView
  readonly reportId: string
  readonly state: ReportState
  /** when there is next something to do about it; null: never */
  readonly dueAt: Time | null
  readonly firstTriedAt: Time | null
  readonly sessions: ReportEntry['sessions'] | null
  /** bytes as it is sent; 0: it was never composed */
  readonly size: number
  readonly destinations: readonly ReportDestinationView[]
  readonly note: string | null
}

export interface ReportDestinationView extends Pick<Destination, 'rua' | 'state' | 'attempts'> {
  /** when it is tried, or looked at, again */
  readonly nextAt: Time | null
  readonly note: string | null
}

export function reportView(entry: ReportEntry): ReportView {
  const { domain, reportId, state, dueAt, firstTriedAt, destinations, note, sessions, size } = entry
  return {
    ...{ domain, period: periodView(entry), reportId, state },
    ...{ dueAt: timeOf(dueAt), firstTriedAt: timeOrNull(firstTriedAt), sessions: sessions ?? null, size },
    destinations: destinations.map(({ rua, state, attempts, nextAt, note }) => {
      return { rua, state, attempts, nextAt: timeOf(nextAt), note: note ?? null }
    }),
    note: note ?? null,
  }
}

export function periodView({ start, end }: { readonly start: number; readonly end: number }): PeriodView {
  return { text: periodText({ start, end }), start: timeOf(start), end: timeOf(end) }
}
