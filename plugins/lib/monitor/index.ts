/**
 * What there is to look at: destinations and the last word on their hosts, messages that wait because of TLS,
 * the resolver's health, and the counters behind /metrics. It decides nothing, and reports are not made of it.
 *
 * @module
 */

import type { Calls, CallsNow } from '../store'
import type { sql } from './sql'

export {
  LEVELS,
  TLS_VERSIONS,
  type Census,
  type Cursor,
  type DestinationDetails,
  type DestinationEntry,
  type DestinationPage,
  type DestinationQuery,
  type DestinationState,
  type LastSeen,
  type ConnectionLevel,
  type ResolverState,
  type ConnectionEvent,
  type Waiting,
  type WaitingDomain,
  type WaitingMessage,
} from './facts'
export { METERS, type Amount, type Meter, type MeterName } from './meters'
export { createMonitorRecorder, type MonitorRecorder } from './recorder'
export type { Added, MonitorBatch, WaitingChange } from './add'
export type { Downgrade } from './downgrades'
export { sql as monitorSql } from './sql'

/** The store of what there is to look at, as deliveries and pages call it. */
export interface MonitorStore extends Calls<typeof sql.methods> {
  /** The same at once, for the end of the process. */
  readonly addNow: CallsNow<typeof sql.methods>['add']
  readonly end: () => void
}
