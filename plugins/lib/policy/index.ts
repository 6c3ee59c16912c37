/**
 * Settings and evidence in, one verdict per MX host out: pure.
 *
 * @module
 */

export { decideDomain, decideHost, doubtDenial } from './decide'
export type { AddressEvidence, Attempt, DomainEvidence, HostEvidence, MxSecurity, HostQuestion } from './evidence'
export type { Concern, EnhancedStatus, Reason, ReasonCode } from './reason'
export { mxLookupFailed, requireTlsNotOffered } from './reasons'
export { PROOFS } from './verdict'
export type {
  AppliedPolicies,
  AttemptVerdict,
  DomainVerdict,
  FoundTlsa,
  Leniency,
  Proof,
  SkipVerdict,
  TlsLevel,
  Verdict,
} from './verdict'
