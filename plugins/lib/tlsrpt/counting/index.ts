/**
 * What happened to TLS sessions: one typed outcome for each, and their counts.
 *
 * @module
 */

import type { Calls, CallsNow } from '../../store'
import type { sql } from './sql'

export { judgeBogusMx, judgeFetch, judgeSession, judgeSkip, refusedBefore } from './session'
export type { Negotiation, PolicyResult, SessionFacts, SessionOutcome } from './session'
export { FAILURE_REASONS } from './failure-reasons'
export type { FailureReason } from './failure-reasons'
export {
  foldedFailure,
  foldedPolicy,
  LONGEST_POLICY,
  MOST_DETAILS,
  MOST_POLICIES,
  MOST_QUOTED_DETAILS,
  MOST_QUOTED_POLICIES,
  MOST_SESSION_KINDS,
} from './fold'
export { createOutcomeRecorder } from './recorder'
export type { OutcomeRecorder, OutcomeRecorderOptions } from './recorder'
export type { Added, Batch, LevelCount, PolicyCount, SessionCount, SessionQuery } from './counts'
export { sql as outcomesSql } from './sql'

/** The store of outcomes, as deliveries, reports and pages call it. */
export interface OutcomeStore extends Calls<typeof sql.methods> {
  /** The same at once, for the end of the process. */
  readonly addNow: CallsNow<typeof sql.methods>['add']
  readonly end: () => void
}
