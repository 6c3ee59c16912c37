/**
 * The room of reports that others have sent to us: kept, told from their repetitions, and added up. How they arrive is not known here.
 *
 * @module
 */

export { createDigest } from './digest'
export type { Digest, Digesting, DomainDays, ReporterSum } from './digest'
export type { FailureSummary } from './failures'
export { keep } from './kept'
export type { Arrival, FailureWay, KeptReport, ReceivedEntry } from './kept'
export { createRedisReceived } from './redis-received'
export { createSqliteReceived, receivedPath } from './sqlite-received'
export type { SqliteReceivedOptions } from './sqlite-received'
export type { EntryQuery, ReceivedStore } from './store'
export { createSumming } from './summary'
export type { DomainSummary, Summary, Summing } from './summary'
