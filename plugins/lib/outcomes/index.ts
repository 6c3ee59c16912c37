/**
 * What happened to TLS sessions: one typed outcome for each.
 *
 * @module
 */

export { judgeBogusMx, judgeFetch, judgeSession, judgeSkip } from './session'
export type { Negotiation, PolicyResult, SessionFacts, SessionFailure, SessionOutcome } from './session'
export type { Added, Batch, OutcomeStore, PolicyCount, SessionCount, SessionQuery } from './store'
