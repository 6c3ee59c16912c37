/**
 * How things stand now, for /metrics: a number, or some by label. Where a store cannot be read, a gauge is left out: it would be wrong.
 *
 * @module
 */

import type { Census as Destinations, MonitorStore, ResolverState } from '../lib/monitor'
import type { PolicyCensus, StsCache } from '../lib/mta-sts'
import type { ReportLedger } from '../lib/tlsrpt/sending'
import type { Done } from '../lib/store'

/** What is known; undefined: cannot be read. */
export interface Standing {
  readonly waiting: number | undefined
  readonly destinations: Destinations | undefined
  /** of this machine; undefined also before it was first tested */
  readonly resolver: ResolverState | undefined
  readonly policies: PolicyCensus | undefined
  readonly reports: { readonly scheduled: number; readonly sending: number } | undefined
}

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly label?: string
  /** by the label's value; without a label, under '' */
  readonly values: (standing: Standing) => Readonly<Record<string, number>> | undefined
}

const one = (value: number | boolean | undefined) => (value === undefined ? undefined : { '': Number(value) })

export const GAUGES: readonly Gauge[] = [
  {
    name: 'outbound_tls_waiting_messages',
    help: 'Messages that wait for their next attempt because of TLS.',
    values: ({ waiting }) => one(waiting),
  },
  {
    name: 'outbound_tls_destinations',
    help: 'Domains that mail went, or was to go, to within the retention.',
    values: ({ destinations }) => one(destinations?.destinations),
  },
  {
    name: 'outbound_tls_failing_destinations',
    help: 'Domains of which a host was refused since mail was last delivered to them.',
    values: ({ destinations }) => one(destinations?.failing),
  },
  {
    name: 'outbound_tls_resolver_validates',
    help: 'Whether all name servers of this machine passed the last self-test: 1 or 0.',
    values: ({ resolver }) => one(resolver?.validates),
  },
  {
    name: 'outbound_tls_resolver_secure_answers',
    help: 'Whether DANE is available on this machine: AD is believed, and no name server is known not to validate. 1 or 0.',
    values: ({ resolver }) => one(resolver?.secureAnswers),
  },
  {
    name: 'outbound_tls_resolver_tested_timestamp_seconds',
    help: 'When the name servers of this machine were last tested: seconds since 1970.',
    values: ({ resolver }) => one(resolver && resolver.at / 1000),
  },
  {
    name: 'outbound_tls_sts_cached_policies',
    help: 'MTA-STS policies that are in force, by mode.',
    label: 'mode',
    values: ({ policies }) => policies?.modes,
  },
  {
    name: 'outbound_tls_sts_failing_refreshes',
    help: 'MTA-STS policies in force that could not be refreshed when that was last tried.',
    values: ({ policies }) => one(policies?.failing),
  },
  {
    name: 'outbound_tls_reports_pending',
    help: 'TLS reports of ours that wait for their time (scheduled), or for a destination that takes them (sending).',
    label: 'state',
    values: ({ reports }) => reports && { ...reports },
  },
]

/** Where it is read. */
export interface Stores {
  readonly monitor: MonitorStore
  readonly policies: Pick<StsCache, 'census'>
  readonly ledger: Pick<ReportLedger, 'count'>
}

/** Reports beyond are not counted: there may be millions of them. */
const MOST_REPORTS = 10_000

/** @param now - milliseconds since 1970 */
export async function readStanding(
  { monitor, policies, ledger }: Stores,
  machine: string,
  now: number,
): Promise<Standing> {
  const [waiting, destinations, resolvers, census, scheduled, sending] = await Promise.all([
    monitor.waiting(now, 0),
    monitor.census(),
    monitor.resolvers(),
    policies.census(now),
    ledger.count('scheduled', MOST_REPORTS),
    ledger.count('sending', MOST_REPORTS),
  ])
  return {
    waiting: valueOf(waiting)?.messages,
    destinations: valueOf(destinations),
    resolver: valueOf(resolvers)?.find((each) => each.machine === machine),
    policies: valueOf(census),
    reports: scheduled.ok && sending.ok ? { scheduled: scheduled.value, sending: sending.value } : undefined,
  }
}

function valueOf<Value>(done: Done<Value>): Value | undefined {
  return done.ok ? done.value : undefined
}
