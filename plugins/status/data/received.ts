/**
 * Reports that others sent: our hosts over time, by reporter, failures first; those that do not count apart.
 *
 * @module
 */

import type { FailureSummary, KeptReport, ReceivedEntry } from '../../lib/received'
import { gather, timeOf, type Answer, type Time } from './answer'
import type { ReceivedDigest } from './received-digest'
import type { Sources } from './sources'

export interface ShownFailureWay {
  readonly domain: string
  readonly policyType: string
  readonly host: string | null
  readonly result: string
  readonly reason: string | null
  readonly sessions: number
  readonly since: Time | null
  readonly until: Time | null
  readonly reporters: readonly string[]
}

export interface ShownSums {
  readonly since: Time | null
  readonly reports: number
  /** at least so many: DANE and MTA-STS may be about the same ones, so the numbers below are never added up */
  readonly sessions: { readonly successes: number; readonly failures: number }
  /** reports that do not count, in the same time */
  readonly unverified: number
  /** false: there was more than is added up */
  readonly complete: boolean
  readonly failures: readonly ShownFailureWay[]
  readonly domains: readonly {
    readonly domain: string
    readonly successes: number
    readonly failures: number
    readonly days: readonly { readonly day: string | null; readonly successes: number; readonly failures: number }[]
  }[]
  readonly reporters: readonly {
    readonly reporter: string
    readonly reports: number
    readonly successes: number
    readonly failures: number
    readonly latestAt: Time | null
  }[]
}

export interface ShownEntry {
  readonly id: string
  readonly receivedAt: Time | null
  readonly source: 'mail' | 'https'
  /** the domain whose signature makes it count */
  readonly signedBy: string | null
  readonly counted: boolean
  readonly organization: string
  readonly contact: string | null
  readonly reportId: string
  readonly start: Time | null
  readonly end: Time | null
  readonly domains: readonly string[]
  readonly successes: number
  readonly failures: number
}

export interface ReceivedData {
  readonly schema: 1
  readonly at: Time | null
  /** null: it cannot be read */
  readonly sums: ShownSums | null
  readonly unverified: boolean
  /** the latest first; null: they cannot be read */
  readonly reports: readonly ShownEntry[] | null
  /** `after` of the next page; null: this is the last one */
  readonly next: string | null
  readonly problems: readonly string[]
}

const PAGE = 50
const MOST_SHOWN = 100

export async function readReceived(sources: Sources, query: URLSearchParams): Promise<Answer<ReceivedData>> {
  const unverified = query.get('unverified') === 'true'
  const after = readCursor(query.get('after'))
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
      ...{ schema: 1, at: timeOf(sources.now()), sums, unverified },
      reports: found?.slice(0, PAGE).map(shownEntry) ?? null,
      next: last ? `${last.receivedAt}~${last.id}` : null,
      problems,
    },
  }
}

function readCursor(text: string | null): Pick<ReceivedEntry, 'receivedAt' | 'id'> | undefined {
  const [, receivedAt, id] = /^(\d{1,16})~([0-9a-f]{16})$/.exec(text ?? '') ?? []
  return receivedAt === undefined || id === undefined ? undefined : { receivedAt: Number(receivedAt), id }
}

export function shownSums(digest: ReceivedDigest): ShownSums {
  const { since, reports, sessions, unverified, isComplete, failures, domains, reporters } = digest
  return {
    ...{ since: timeOf(since), reports, sessions, unverified, complete: isComplete },
    failures: failures.slice(0, MOST_SHOWN).map(shownWay),
    domains: domains.slice(0, MOST_SHOWN).map(({ days, ...sum }) => ({
      ...sum,
      days: days.map(({ day, ...counts }) => ({ day: timeOf(day)?.slice(0, 10) ?? null, ...counts })),
    })),
    reporters: reporters.slice(0, MOST_SHOWN).map(({ latest, ...sum }) => ({ ...sum, latestAt: timeOf(latest) })),
  }
}

function shownWay({
  domain,
  type,
  host,
  result,
  reason,
  count,
  since,
  until,
  reporters,
}: FailureSummary): ShownFailureWay {
  return {
    ...{ domain, policyType: type, host: host ?? null, result, reason: reason ?? null, sessions: count },
    ...{ since: timeOf(since), until: timeOf(until), reporters },
  }
}

function shownEntry(entry: ReceivedEntry): ShownEntry {
  const { id, source, organization, reportId, domains, successes, failures, isCounted } = entry
  return {
    ...{ id, receivedAt: timeOf(entry.receivedAt), source, signedBy: entry.signedBy ?? null, counted: isCounted },
    ...{ organization, contact: entry.contact ?? null, reportId, start: timeOf(entry.start), end: timeOf(entry.end) },
    ...{ domains, successes, failures },
  }
}

export interface ReceivedReportData {
  readonly schema: 1
  readonly at: Time | null
  readonly entry: ShownEntry
  /** of the report, some of them */
  readonly policies: readonly {
    readonly type: string
    readonly domain: string | null
    /** false: it is about others */
    readonly ours: boolean
    readonly strings: readonly string[]
    readonly mx: readonly string[]
    readonly successes: number
    readonly failures: number
    readonly details: readonly KeptReport['report']['policies'][number]['details'][number][]
  }[]
  /** policies and details that are not shown */
  readonly left: number
  /** what was bent about it */
  readonly notes: readonly string[]
}

const MOST_POLICIES = 50
const MOST_DETAILS = 200

export async function readReceivedReport(sources: Sources, id: string): Promise<Answer<ReceivedReportData>> {
  const done = /^[0-9a-f]{16}$/.test(id) ? await sources.received.read(id) : ({ ok: true, value: undefined } as const)
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  const kept = done.value
  if (kept === undefined) return { ok: false, status: 404, text: 'There is no such report, or not any more.' }
  const { policies } = kept.report
  const details = policies.reduce((sum, { details }) => sum + details.length, 0)
  let room = MOST_DETAILS
  const shown = policies.slice(0, MOST_POLICIES).map((policy, index) => {
    const some = policy.details.toSorted((a, b) => b.count - a.count).slice(0, room)
    room -= some.length
    return { ...policy, domain: policy.domain ?? null, ours: kept.ours[index] === true, details: some }
  })
  const left = policies.length - shown.length + details - (MOST_DETAILS - room)
  const notes = kept.notes.slice(0, MOST_DETAILS).map(({ code, text }) => `${code}: ${text}`)
  return {
    ok: true,
    data: { schema: 1, at: timeOf(sources.now()), entry: shownEntry(kept.entry), policies: shown, left, notes },
  }
}
