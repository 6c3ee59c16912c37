/**
 * Gathers the evidence, opens sessions, judges peers, words the reasons: what enforcement and the command share.
 *
 * @module
 */

export type { AddressFamily } from './hosts'
export { openSession, type Opening, type OpeningTerms, type SmtpSocket, type Starttls } from './opening'
export { createPatience, type Patience } from './patience'
export { judgePeer, type PeerJudgement, type PkixResult, type TlsPeer, type TrustLevel } from './peer'
export { nullMx, planDomain, planStaticHost } from './plan'
export type { Plan, PlannedHost, Planner, StaticHost, Undeliverable } from './plan'
export { printable } from './printable'
export { replyText, type Reply } from './smtp-reply'
export { createTlsOptions, type ClientTls, type TlsOptionsFor } from './tls-options'
