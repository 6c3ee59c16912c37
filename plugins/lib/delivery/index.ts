/**
 * Gathers the evidence, opens sessions, judges peers, words the reasons: what enforcement and the command share.
 *
 * @module
 */

export {
  candidatesOf,
  goOn,
  isReplyForCore,
  isSkipped,
  isTarget,
  leaveToNextAttempt,
  localAddress,
  lostConnection,
  newDelivery,
  nextAfter,
  noConnection,
  refuse,
  replyForCore,
  unusableHost,
  verdictFor,
} from './course'
export type { Delivery, HostRefusal, Next, Skipped, Target } from './course'
export { deferralOf, isForGood, type Deferral } from './deferral'
export { dial, type SmtpConnection, type SmtpExchange } from './dial'
export type { AddressFamily } from './hosts'
export { judgeTarget } from './judgement'
export { acceptKnown, invalidCertificate, type FindKnown } from './known'
export type { SmtpSocket } from './handshake'
export { openSession, type Opening, type OpeningTerms, type Starttls } from './opening'
export { isLoopback, isOwnAddress, plainAddress } from './own-host'
export { judgePeer, type PeerJudgement, type TlsPeer } from './peer'
export { nullMx, planDomain, planStaticHost, undeliverableStatus } from './plan'
export type { Plan, PlannedHost, Planner, StaticHost, Undeliverable } from './plan'
export { createPlanner, effectiveTlsRequest, type PlannerInput } from './planner'
export { printable } from './printable'
export { followCourse, probeTarget, type ProbeTerms, type Session } from './probe'
export { createReplyLimit, MESSAGE_REPLY_TIME } from './reply-limit'
export { replyText, type SmtpReply } from './smtp-reply'
export { createDnsResolver, createStsFetch, describeNameServers, nameServersOf, type NameServers } from './sources'
export { createTlsOptions, faultsOf, type ClientTls, type TlsOptionsFor } from './tls-options'
export { describeTarget, isTolerant, otherCertificateLine, refusalLine, sessionLine, waiver } from './wording'
