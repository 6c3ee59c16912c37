/**
 * What happened to TLS sessions: one typed outcome for each, and their counts.
 *
 * @module
 */

export { judgeBogusMx, judgeFetch, judgeSession, judgeSkip } from './session'
export type { Negotiation, PolicyResult, SessionFacts, SessionFailure, SessionOutcome } from './session'
export { FAILURE_REASONS } from './failure-reasons'
export type { FailureReason } from './failure-reasons'
export {
  foldedFailure,
  foldedPolicy,
  LONGEST_POLICY,
  MOST_DETAILS,
  MOST_DETAILS_A_DAY,
  MOST_POLICIES,
  MOST_POLICIES_A_DAY,
  MOST_QUOTED_DETAILS,
  MOST_QUOTED_POLICIES,
  MOST_SESSION_KINDS,
  MOST_SESSION_KINDS_A_DAY,
} from './fold'
export { createRecorder } from './recorder'
export type { OutcomeRecorder, RecorderOptions } from './recorder'
export { createRedisOutcomes } from './redis-outcomes'
export type { RedisOutcomesOptions } from './redis-outcomes'
export { createSqliteOutcomes } from './sqlite-outcomes'
export type { SqliteOutcomesOptions } from './sqlite-outcomes'
export type { Added, Batch, OutcomeStore, PolicyCount, SessionCount, SessionQuery } from './store'
