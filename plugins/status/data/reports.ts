/**
 * TLS reports of ours: sent, pending, given up, not wanted.
 *
 * @module
 */

import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { toAsciiDomain } from '../../lib/dns'
import type { ReportState } from '../../lib/tlsrpt/sending'
import type { Done } from '../../lib/store'
import { reportView, type ReportView } from '../../views'
import { cursorText, readCursor, type Answer } from './answer'
import type { Sources } from './sources'

/** `pending` is `scheduled` and `sending`. */
export type ReportChoice = 'all' | 'pending' | 'sent' | 'given-up' | 'not-wanted'

const STATES: Readonly<Record<ReportChoice, readonly ReportState[] | undefined>> = {
  all: undefined,
  pending: ['sending', 'scheduled'],
  sent: ['sent'],
  'given-up': ['given-up'],
  'not-wanted': ['not-wanted'],
}

/** Up to {@link MOST_COUNTED} of each: that number means so many, or more. */
export type ReportCounts = Readonly<Record<ReportState, number>>

export const MOST_COUNTED = 10_000

export interface ReportsData {
  readonly state: ReportChoice
  readonly search: string
  readonly counts: ReportCounts
  /** the latest period first */
  readonly reports: readonly ReportView[]
  /** `after` of the next page; null: this is the last one */
  readonly next: string | null
}

const PAGE = 50

export async function readReports(sources: Sources, query: URLSearchParams): Promise<Answer<ReportsData>> {
  const given = query.get('state') ?? 'all'
  const state = Object.hasOwn(STATES, given) ? (given as ReportChoice) : 'all'
  const search = (query.get('search') ?? '').trim().slice(0, 253)
  const domain = search === '' ? undefined : (toAsciiDomain(search) ?? search)
  const states = STATES[state]
  const [start, name] = readCursor(query.get('after')) ?? []
  const [counts, done] = await Promise.all([
    countReports(sources),
    sources.ledger.list({
      ...(states && { states }),
      ...(domain !== undefined && { domain }),
      ...(start !== undefined && name !== undefined && { after: { start, domain: name } }),
      limit: PAGE + 1,
    }),
  ])
  if (!counts.ok || !done.ok)
    return { ok: false, status: 503, text: counts.ok ? (done.ok ? '' : done.text) : counts.text }
  const last = done.value.length > PAGE ? done.value[PAGE - 1] : undefined
  const reports = done.value.slice(0, PAGE).map(reportView)
  const next = last ? cursorText(last.start, last.domain) : null
  return {
    ok: true,
    data: { state, search, counts: counts.value, reports, next },
  }
}

export async function countReports({ ledger }: Sources): Promise<Done<ReportCounts>> {
  const counts = { scheduled: 0, sending: 0, sent: 0, 'given-up': 0, 'not-wanted': 0 }
  for (const state of Object.keys(counts) as ReportState[]) {
    const done = await ledger.count(state, MOST_COUNTED)
    if (!done.ok) return done
    counts[state] = done.value
  }
  return { ok: true, value: counts }
}

export interface ReportData {
  readonly entry: ReportView
  /** as it is sent, unpacked; null: it is not composed, not kept any more, or too long to be shown */
  readonly report: unknown
  /** why there is none */
  readonly without: 'not-composed' | 'not-kept' | 'too-long' | null
}

const unpack = promisify(gunzip)
/** Bytes, unpacked, that are shown: JSON of this length is read and written in some milliseconds. */
const LONGEST_SHOWN = 200_000

export async function readReport(sources: Sources, domain: string, start: string): Promise<Answer<ReportData>> {
  const key = { domain, start: Date.parse(start) }
  if (Number.isNaN(key.start)) return noSuchReport
  const [entry, frozen] = await Promise.all([sources.ledger.read(key), sources.ledger.frozen(key)])
  if (!entry.ok) return { ok: false, status: 503, text: entry.text }
  if (!frozen.ok) return { ok: false, status: 503, text: frozen.text }
  if (entry.value === undefined) return noSuchReport
  const text = frozen.value && (await unpack(frozen.value, { maxOutputLength: LONGEST_SHOWN }).catch(() => null))
  const report: unknown = text ? JSON.parse(text.toString()) : null
  const without = text ? null : text === null ? 'too-long' : entry.value.size === 0 ? 'not-composed' : 'not-kept'
  return { ok: true, data: { entry: reportView(entry.value), report, without } }
}

/** The very bytes that are sent. */
export async function readFrozen(sources: Sources, domain: string, start: string): Promise<Answer<Uint8Array>> {
  const done = await sources.ledger.frozen({ domain, start: Date.parse(start) || 0 })
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  return done.value === undefined ? noSuchReport : { ok: true, data: done.value }
}

const noSuchReport = { ok: false, status: 404, text: 'There is no such report, or it is not kept any more.' } as const
