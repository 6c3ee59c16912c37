/**
 * What there is to look at: connections by level, destinations and the last word on their hosts, messages that wait because of TLS,
 * the resolver's health, and the counters behind /metrics. It decides nothing, and reports are not made of it.
 *
 * @module
 */

export {
  LEVELS,
  TLS_VERSIONS,
  type Cursor,
  type DestinationDetails,
  type DestinationEntry,
  type DestinationPage,
  type DestinationQuery,
  type DestinationState,
  type LastSeen,
  type Level,
  type LevelCount,
  type ResolverState,
  type Sighting,
  type WaitingDomain,
  type WaitingMessage,
} from './facts'
export { METERS, type Amount, type Meter, type MeterName } from './meters'
export { createRecorder, type Recorder, type RecorderOptions } from './recorder'
export { createRedisMonitor, type RedisMonitorOptions } from './redis-monitor'
export { createSqliteMonitor, monitorPath, type SqliteMonitorOptions } from './sqlite-monitor'
export type { Census, MonitorBatch, MonitorStore, Span, Waiting, WaitingChange } from './store'
