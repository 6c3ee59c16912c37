/**
 * Where the figures come from: the stores of all that this package records. Every worker reads the same ones, so all of them show the
 * same.
 *
 * @module
 */

import type { Plugin } from '../../runtime/haraka'
import type { MonitorStore } from '../../lib/monitor'
import type { StsCache } from '../../lib/mta-sts'
import type { OutcomeStore } from '../../lib/tlsrpt/counting'
import type { ReceivedStore } from '../../lib/tlsrpt/received'
import type { ReportLedger } from '../../lib/tlsrpt/sending'
import type { Settings } from '../../lib/settings'
import type { Done } from '../../lib/store'
import { machineName } from '../../runtime/monitoring'
import {
  createLedger,
  createMonitor,
  createOutcomes,
  createPolicyCache,
  createReceived,
  storeContextOf,
} from '../../runtime/stores'
import { readMetrics, type MetricsText } from '../metrics'
import { scanPolicies, type PolicyScan } from './policy-scan'
import { digestReceived, type ReceivedDigest } from './received-digest'
import { remembered } from './remember'

export interface Sources {
  readonly settings: Settings
  readonly monitor: MonitorStore
  readonly outcomes: OutcomeStore
  readonly ledger: ReportLedger
  readonly received: ReceivedStore
  readonly policies: StsCache
  /** milliseconds since 1970 */
  readonly now: () => number
  /** What takes a while to be put together, and may be some seconds old. */
  readonly policyScan: () => Promise<Done<PolicyScan>>
  readonly receivedDigest: () => Promise<Done<ReceivedDigest>>
  /** What Prometheus is told. Whoever asks more often than once a second learns nothing more. */
  readonly metrics: () => Promise<Done<MetricsText>>
  readonly close: () => void
}

/** How old the figures may be that take a while: milliseconds. */
const AGE = 15_000

/** Opens nothing before it is needed. */
export function openSources(settings: Settings, plugin: Plugin): Sources {
  const { store } = settings
  const context = storeContextOf(plugin)
  const monitor = createMonitor(store, context)
  const outcomes = createOutcomes(store, context)
  const ledger = createLedger(store, context)
  const received = createReceived(store, context)
  const policies = createPolicyCache(store, context)
  return {
    ...{ settings, monitor, outcomes, ledger, received, policies },
    now: Date.now,
    policyScan: remembered(AGE, () => scanPolicies(policies, Date.now())),
    receivedDigest: remembered(AGE, () => digestReceived(received, Date.now())),
    metrics: remembered(1000, () => readMetrics({ monitor, policies, ledger }, machineName, Date.now())),
    close: () => {
      monitor.end()
      outcomes.end()
      ledger.end()
      received.end()
      policies.close()
    },
  }
}
