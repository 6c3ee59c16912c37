/**
 * Reports that others sent: our hosts over time, by reporter, failures first; those that do not count apart.
 *
 * @module
 */

import {
  failureView,
  receivedReportView,
  receivedView,
  timeOf,
  type FailureView,
  type ReceivedReportView,
  type ReceivedView,
  type Time,
} from '../../views'
import type { Totals } from '../../lib/tlsrpt/parsing'
import { cursorText, gather, readCursor, type Answer } from './answer'
import type { ReceivedDigest } from './received-digest'
import type { Sources } from './sources'

export interface ShownSums {
  readonly since: Time | null
  readonly reports: number
  /** at least so many: DANE and MTA-STS may be about the same ones, so the numbers below are never added up */
  readonly sessions: Totals
  /** reports that do not count, in the same time */
  readonly unverified: number
  /** false: there was more than is added up */
  readonly complete: boolean
  readonly failures: readonly FailureView[]
  readonly domains: readonly (Totals & {
    readonly domain: string
    readonly days: readonly (Totals & { readonly day: string | null })[]
  })[]
  readonly reporters: readonly (Totals & {
    readonly reporter: string
    readonly reports: number
    readonly latestAt: Time | null
  })[]
}

export interface ReceivedData {
  /** null: it cannot be read */
  readonly sums: ShownSums | null
  readonly unverified: boolean
  /** the latest first; null: they cannot be read */
  readonly reports: readonly ReceivedView[] | null
  /** `after` of the next page; null: this is the last one */
  readonly next: string | null
  readonly problems: readonly string[]
}

const PAGE = 50
const MOST_SHOWN = 100

export async function readReceived(sources: Sources, query: URLSearchParams): Promise<Answer<ReceivedData>> {
  const unverified = query.get('unverified') === 'true'
  const [receivedAt, id] = readCursor(query.get('after')) ?? []
  const after = receivedAt === undefined || id === undefined ? undefined : { receivedAt, id }
  const [digest, entries] = await Promise.all([
    sources.receivedDigest(),
    sources.received.entries({ since: 0, isCounted: !unverified, ...(after && { after }), limit: PAGE + 1 }),
  ])
  const { take, problems } = gather()
  const sums = take('what reports say together', digest, shownSums)
  const found = take('the reports', entries, (value) => value)
  const last = found && found.length > PAGE ? found[PAGE - 1] : undefined
  return {
    ok: true,
    data: {
      ...{ sums, unverified },
      reports: found?.slice(0, PAGE).map(receivedView) ?? null,
      next: last ? cursorText(last.receivedAt, last.id) : null,
      problems,
    },
  }
}

export function shownSums(digest: ReceivedDigest): ShownSums {
  const { since, reports, sessions, unverified, isComplete, failures, domains, reporters } = digest
  return {
    ...{ since: timeOf(since), reports, sessions, unverified, complete: isComplete },
    failures: failures.slice(0, MOST_SHOWN).map(failureView),
    domains: domains.slice(0, MOST_SHOWN).map(({ days, ...sum }) => ({
      ...sum,
      days: days.map(({ day, ...counts }) => ({ day: timeOf(day)?.slice(0, 10) ?? null, ...counts })),
    })),
    reporters: reporters.slice(0, MOST_SHOWN).map(({ latest, ...sum }) => ({ ...sum, latestAt: timeOf(latest) })),
  }
}

export interface ReceivedReportData {
  /** with some of its policies, details and notes */
  readonly report: ReceivedReportView
  /** policies and details that are not shown */
  readonly left: number
}

const MOST_POLICIES = 50
const MOST_DETAILS = 200

export async function readReceivedReport(sources: Sources, id: string): Promise<Answer<ReceivedReportData>> {
  const done = /^[0-9a-f]{16}$/.test(id) ? await sources.received.read(id) : ({ ok: true, value: undefined } as const)
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  if (done.value === undefined) return { ok: false, status: 404, text: 'There is no such report, or not any more.' }
  const { policies, notes, ...entry } = receivedReportView(done.value)
  const details = policies.reduce((sum, { details }) => sum + details.length, 0)
  let room = MOST_DETAILS
  const shown = policies.slice(0, MOST_POLICIES).map((policy) => {
    const some = policy.details.toSorted((a, b) => b.count - a.count).slice(0, room)
    room -= some.length
    return { ...policy, details: some }
  })
  const left = policies.length - shown.length + details - (MOST_DETAILS - room)
  const report = { ...entry, notes: notes.slice(0, MOST_DETAILS), policies: shown }
  return { ok: true, data: { report, left } }
}
