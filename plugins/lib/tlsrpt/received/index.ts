/**
 * Reports that others have sent to us: kept, told from their repetitions, and added up. How they arrive is not known here.
 *
 * @module
 */

import type { Calls } from '../../store'
import type { sql } from './sql'

export { createDigest } from './digest'
export type { Digest } from './digest'
export type { FailureSummary } from './failures'
export { keep, waysOf } from './kept'
export type { Arrival, FailureWay, KeptReport, ReceivedEntry } from './kept'
export { sql as receivedSql } from './sql'
export type { EntryQuery } from './sql'
export { createSumming } from './summary'
export type { DomainSummary, Summary } from './summary'

/** The store of received reports, as deliveries and pages call it. */
export type ReceivedStore = Calls<typeof sql.methods>
