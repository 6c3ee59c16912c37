/**
 * Destinations, those that fail first, and all that is known of one of them.
 *
 * @module
 */

import {
  destinationView,
  fetchFailureView,
  lastSeenView,
  policyView,
  reportView,
  waitingMessageView,
  type DestinationView,
  type FetchFailureView,
  type LastSeenView,
  type PolicyView,
  type ReportView,
  type WaitingMessageView,
} from '../../views'
import { cursorText, gather, readCursor, type Answer } from './answer'
import { inTurn } from './in-turn'
import { readSearch } from './policies'
import { readSessions, type Sessions, type Verdict } from './sessions'
import type { Sources } from './sources'

export interface DestinationsData {
  readonly search: string
  readonly known: number
  readonly failing: number
  readonly destinations: readonly DestinationView[]
  /** `after` of the next page; null: this is the last one */
  readonly next: string | null
}

const PAGE = 50

export async function readDestinations(sources: Sources, query: URLSearchParams): Promise<Answer<DestinationsData>> {
  const search = readSearch(query)
  const [rank, domain] = readCursor(query.get('after')) ?? []
  const after = rank === undefined || domain === undefined ? undefined : { rank, domain }
  const [census, page] = await inTurn(
    () => sources.monitor.census(),
    () => sources.monitor.destinations({ search, after, limit: PAGE }),
  )
  if (!census.ok) return { ok: false, status: 503, text: census.text }
  if (!page.ok) return { ok: false, status: 503, text: page.text }
  const { entries, next } = page.value
  return {
    ok: true,
    data: {
      search,
      known: census.value.destinations,
      failing: census.value.failing,
      destinations: entries.map(destinationView),
      next: next ? cursorText(next.rank, next.domain) : null,
    },
  }
}

export interface DestinationData {
  readonly domain: string
  /** null: nothing of it is remembered */
  readonly destination: DestinationView | null
  /** the last words on each host, the latest first: what was refused, and what was delivered; null: they cannot be read */
  readonly hosts: readonly LastSeenView[] | null
  /** messages that wait, the one that waits longest first; some of them; null: they cannot be read */
  readonly waiting: readonly WaitingMessageView[] | null
  /** of the last seven days */
  readonly sessions: Sessions | null
  /** how these were judged, for each policy by itself: what a TLS report says */
  readonly verdicts: readonly Verdict[] | null
  /** null: there is none in the cache */
  readonly policy: PolicyView | null
  /** where there is no policy: why the latest fetch failed */
  readonly lastFailure: FetchFailureView | null
  /** the latest first, some of them; null: they cannot be read */
  readonly reports: readonly ReportView[] | null
  readonly problems: readonly string[]
}

const MOST_MESSAGES = 50
const MOST_REPORTS = 14

export async function readDestination(sources: Sources, domain: string): Promise<Answer<DestinationData>> {
  const { monitor, policies, ledger, now } = sources
  const at = now()
  const [known, waiting, listed, failed, reports, judged] = await inTurn(
    () => monitor.destination(domain),
    () => monitor.waitingFor(domain, at, MOST_MESSAGES),
    () => policies.listPolicies(domain),
    () => policies.lastFailure(domain),
    () => ledger.list({ domain, limit: MOST_REPORTS }),
    () => readSessions(sources, domain),
  )
  const { take, problems } = gather()
  const details = take('the destinations', known, (value) => value)
  const sessions = take('the sessions', judged, (value) => value)
  const policy = take('the policies', listed, ([entry]) => (entry ? policyView(entry, at) : null))
  const data: DestinationData = {
    domain,
    destination: details ? destinationView(details) : null,
    hosts: details === null ? null : (details?.hosts.map(lastSeenView) ?? []),
    waiting: take('the messages that wait', waiting, (value) => value.map(waitingMessageView)),
    sessions: sessions?.sessions ?? null,
    verdicts: sessions?.verdicts ?? null,
    policy,
    lastFailure: policy === null ? take('the policies', failed, fetchFailureView) : null,
    reports: take('the reports', reports, (value) => value.map(reportView)),
    problems,
  }
  return isNothing(data) ? { ok: false, status: 404, text: `Nothing is known of ${domain}.` } : { ok: true, data }
}

function isNothing({
  destination,
  waiting,
  sessions,
  policy,
  lastFailure,
  reports,
  problems,
}: DestinationData): boolean {
  const lists = [waiting ?? [], reports ?? [], problems, sessions?.hosts ?? []]
  return [destination, policy, lastFailure].every((one) => one === null) && lists.every((list) => list.length === 0)
}
