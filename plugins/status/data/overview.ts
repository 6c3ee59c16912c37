/**
 * All at a glance: what waits, how deliveries go, what fails, whether the resolver is right, what reports say, what is exempt.
 *
 * @module
 */

import { destinationView, waitingDomainView, type DestinationView, type WaitingDomainView } from '../../views'
import { gather, type Answer } from './answer'
import { readConnections, readSpan, type Connections } from './connections'
import { exemptionsOf, type ExemptionsData } from './exemptions'
import { shownSums, type ShownSums } from './received'
import { inTurn } from './in-turn'
import { countReports, type ReportCounts } from './reports'
import { machineResolver, type MachineResolver } from './resolver'
import type { Sources } from './sources'

export interface OverviewData {
  /** messages that are deferred because of TLS, by domain, those with most messages first; some of them */
  readonly waiting: { readonly messages: number; readonly domains: readonly WaitingDomainView[] } | null
  readonly connections: Connections | null
  readonly destinations: {
    readonly known: number
    /** refused since they were last delivered to */
    readonly failing: number
    /** the latest of these, some of them */
    readonly latest: readonly DestinationView[]
  } | null
  readonly resolvers: readonly MachineResolver[] | null
  readonly reports: ReportCounts | null
  readonly received: Pick<ShownSums, 'since' | 'reports' | 'sessions' | 'unverified' | 'complete' | 'failures'> | null
  readonly exemptions: Pick<ExemptionsData, 'main' | 'rules'>
  /** what could not be read */
  readonly problems: readonly string[]
}

const MOST_WAITING = 50
const MOST_FAILING = 8
const MOST_WAYS = 5

export async function readOverview(sources: Sources, query: URLSearchParams): Promise<Answer<OverviewData>> {
  const { monitor, now } = sources
  const at = now()
  const [waiting, connections, census, latest, resolvers, reports, received] = await inTurn(
    () => monitor.waiting(at, MOST_WAITING),
    () => readConnections(sources, readSpan(query.get('span'))),
    () => monitor.census(),
    () => monitor.destinations({ search: '', after: undefined, limit: MOST_FAILING }),
    () => monitor.resolvers(),
    () => countReports(sources),
    () => sources.receivedDigest(),
  )
  const { take, problems } = gather()
  const entries = take('the destinations', latest, ({ entries }) => entries) ?? []
  const failing = entries.filter(({ state }) => state === 'failing').map(destinationView)
  const { main, rules } = exemptionsOf(sources)
  return {
    ok: true,
    data: {
      waiting: take('the messages that wait', waiting, ({ messages, domains }) => {
        return { messages, domains: domains.map(waitingDomainView) }
      }),
      connections: take('the connections', connections, (value) => value),
      destinations: take('the destinations', census, ({ destinations, failing: count }) => {
        return { known: destinations, failing: count, latest: failing }
      }),
      resolvers: take('the resolvers', resolvers, (value) => value.map(machineResolver)),
      reports: take('the reports sent', reports, (value) => value),
      received: take('the reports received', received, (digest) => {
        const { since, reports, sessions, unverified, complete, failures } = shownSums(digest)
        return { since, reports, sessions, unverified, complete, failures: failures.slice(0, MOST_WAYS) }
      }),
      exemptions: { main, rules: rules.filter(({ state, weakens }) => weakens && state !== 'ended') },
      problems,
    },
  }
}
