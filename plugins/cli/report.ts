/**
 * What the commands for TLS reports share: the ledger of an instance, and how its entries look.
 *
 * @module
 */

import {
  periodText,
  type Destination,
  type ReportEntry,
  type ReportLedger,
  type ReportState,
} from '../lib/tlsrpt/sending'
import { isoTime } from '../lib/time'
import { createLedger } from '../runtime/stores'
import type { Answer, Call, Paint, Style } from './command'
import type { Instance } from './instance'
import { withStore } from './store'
import { fromNow, printable, wrap } from './text'

/** Opens the ledger of an instance for `work`. */
export function withLedger(
  call: Call,
  access: { readonly readOnly: boolean },
  work: (ledger: ReportLedger, instance: Instance) => Promise<Answer>,
): Promise<Answer> {
  return withStore(call, createLedger, access, work)
}

export const STATE_STYLES: Readonly<Record<ReportState, Style>> = {
  scheduled: 'yellow',
  sending: 'yellow',
  sent: 'green',
  'given-up': 'red',
  'not-wanted': 'dim',
}

export const STATES = Object.keys(STATE_STYLES) as readonly ReportState[]

const STATE = 'not-wanted'.length
const PERIOD = '2026-12-28 to 2027-01-03'.length

export function listHead(paint: Paint): string {
  return paint('bold', `${'STATE'.padEnd(STATE)}  ${'PERIOD'.padEnd(PERIOD)}  DOMAIN`)
}

/** One report, in a line and what there is to say below. */
export function entryLines(entry: ReportEntry, now: number, paint: Paint): readonly string[] {
  const { state, domain, note } = entry
  const line = `${paint(STATE_STYLES[state], state.padEnd(STATE))}  ${periodText(entry).padEnd(PERIOD)}  ${printable(domain)}`
  const below = [
    ...(state === 'scheduled' ? [`due ${when(entry.dueAt, now)}`] : []),
    ...sessionsText(entry),
    ...entry.destinations.map((destination) => destinationText(destination, now)),
    ...(note === undefined ? [] : [note]),
  ]
  return [line, ...below.flatMap((text) => wrap(printable(text), ' '.repeat(STATE + 2)))]
}

function when(time: number, now: number): string {
  return `${isoTime(time)}, ${fromNow(time, now)}`
}

function sessionsText({ sessions, size }: ReportEntry): readonly string[] {
  if (sessions === undefined) return []
  return [`sessions: ${countsText(sessions)}; ${size} bytes`]
}

export function countsText({ successful, failed }: NonNullable<ReportEntry['sessions']>): string {
  return `${successful} successful, ${failed} failed`
}

function destinationText({ rua, state, attempts, nextAt, note }: Destination, now: number): string {
  const tried = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const next = state === 'waiting' ? `, next ${when(nextAt, now)}` : ''
  return `${state}: ${rua}${tried}${next}${note === undefined ? '' : `: ${note}`}`
}
