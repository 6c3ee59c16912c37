/**
 * What became of one TLS negotiation, judged for each policy that applied to it, by itself, whatever delivery did in
 * the end (RFC 8460 §4.2). Nothing here decides anything.
 *
 * @module
 */

import type { AppliedPolicies, DomainEvidence, FoundTlsa, HostEvidence, Reason } from '../../policy'
import type { FailureReason } from './failure-reasons'
import { stsStrings, tlsaStrings, type AppliedPolicy, type ResultType } from '../format'

/** A policy that could not be fetched, or was of no use, has no session of its own (RFC 8460 §4.3.2). */
export type PolicyFetchType = 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'

export interface SessionFailure {
  readonly type: ResultType
  /** failure-reason-code; undefined: the type says it all */
  readonly reason: FailureReason | undefined
}

/** One policy's own view of the session; without a failure it was a success. */
export interface PolicyResult {
  /** as reports quote it; its domain is the TLSA base domain, otherwise the recipient domain, or the relay's name (RFC 8460 §1.1) */
  readonly policy: AppliedPolicy
  readonly failure?: SessionFailure
}

export interface SessionOutcome {
  readonly at: Date
  /** where the mail was to go: the recipient domain, or the relay's name */
  readonly domain: string
  /** receiving-mx-hostname */
  readonly host: string | undefined
  readonly sendingAddress: string | undefined
  readonly receivingAddress: string | undefined
  readonly level: 'verified' | 'trusted' | 'untrusted' | 'clear-text' | 'refused' | 'policy-fetch'
  readonly tlsVersion: string | undefined
  /** none: not for reports, as a second attempt in clear text */
  readonly results: readonly PolicyResult[]
}

/** How the negotiation went. Certificates are judged under DANE and PKIX, each by itself. */
export type Negotiation =
  | { readonly status: 'not-offered' }
  | { readonly status: 'refused' }
  | { readonly status: 'failed'; readonly reason: 'handshake-failed' | 'starttls-injection' }
  | {
      readonly status: 'done'
      /** undefined: valid for the host */
      readonly pkixFailure: CertificateFailure | undefined
      /** undefined: matched */
      readonly daneFailure: CertificateFailure | 'dane-no-match' | undefined
      /** of a certificate that is not trusted under PKIX */
      readonly chainFlaw: 'self-signed' | 'unknown-issuer' | 'chain-invalid' | undefined
    }

/** What is wrong with a certificate; the gravest flaw where there are several: not trusted, expired, host mismatch. */
type CertificateFailure =
  'certificate-missing' | 'certificate-not-trusted' | 'certificate-expired' | 'certificate-host-mismatch'

export interface SessionFacts extends Omit<SessionOutcome, 'results'> {
  readonly applied: AppliedPolicies
  readonly negotiation: Negotiation
  /** of a handshake that was done: what was refused, or would have been but for an audit; undefined: all was proved */
  readonly refusal: Reason | undefined
}

/** Judges a session that was negotiated, or could not be. */
export function judgeSession(facts: SessionFacts): SessionOutcome {
  const { applied, negotiation, domain, ...outcome } = facts
  const results: PolicyResult[] = []
  if (applied.tlsa !== undefined) results.push(judgeTlsa(applied.tlsa, negotiation))
  if (applied.sts !== undefined) results.push(withFailure(stsPolicy(domain, applied.sts), stsFailure(facts)))
  if (applied.sts === undefined && (applied.tlsa === undefined || applied.tlsa.usable.length === 0))
    results.push(withFailure({ type: 'no-policy-found', domain }, plainFailure(facts)))
  return { ...pickOutcome(outcome), domain, results }
}

function pickOutcome(
  facts: Omit<SessionFacts, 'applied' | 'negotiation' | 'domain'>,
): Omit<SessionOutcome, 'results' | 'domain'> {
  const { at, host, sendingAddress, receivingAddress, level, tlsVersion } = facts
  return { at, host, sendingAddress, receivingAddress, level, tlsVersion }
}

function judgeTlsa(tlsa: FoundTlsa, negotiation: Negotiation): PolicyResult {
  const policy = tlsaPolicy(tlsa)
  if (tlsa.usable.length === 0) return withFailure(policy, { type: 'tlsa-invalid', reason: 'tlsa-unusable' })
  return withFailure(policy, negotiationFailure(negotiation, 'daneFailure'))
}

function stsFailure({ applied, negotiation }: SessionFacts): SessionFailure | undefined {
  if (!applied.stsListsHost) return { type: 'validation-failure', reason: 'sts-policy-mx-mismatch' }
  return negotiationFailure(negotiation, 'pkixFailure')
}

/** Without a policy, what the administrator lets pass is a success. */
function plainFailure({ negotiation, refusal }: SessionFacts): SessionFailure | undefined {
  if (negotiation.status === 'done' && refusal === undefined) return undefined
  return negotiationFailure(negotiation, 'pkixFailure')
}

function negotiationFailure(
  negotiation: Negotiation,
  proof: 'daneFailure' | 'pkixFailure',
): SessionFailure | undefined {
  if (negotiation.status === 'not-offered') return { type: 'starttls-not-supported', reason: 'starttls-not-offered' }
  if (negotiation.status === 'refused') return { type: 'starttls-not-supported', reason: 'starttls-refused' }
  if (negotiation.status === 'failed') return { type: 'validation-failure', reason: negotiation.reason }
  const failure = negotiation[proof]
  switch (failure) {
    case undefined:
      return undefined
    case 'certificate-expired':
    case 'certificate-host-mismatch':
      return { type: failure, reason: undefined }
    case 'certificate-not-trusted': {
      const flaw = proof === 'pkixFailure' ? negotiation.chainFlaw : undefined
      return { type: failure, reason: flaw ?? 'chain-invalid' } // R11: this type should have a reason
    }
    default:
      return { type: 'validation-failure', reason: failure }
  }
}

/**
 * Judges a host that was refused before anything was connected. Undefined: there is nothing to report; a server
 * failure or a time-out is not (RFC 8460 §4.3.4).
 */
export function judgeSkip(
  at: Date,
  domain: DomainEvidence,
  host: HostEvidence,
  because: Reason,
): SessionOutcome | undefined {
  const result = skippedResult(domain, host, because)
  return result && { ...refusedBefore(at, domain.policyDomain, host.name), results: [result] }
}

/** Refused before anything was connected, and not for reports. */
export function refusedBefore(at: Date, domain: string, host: string | undefined): SessionOutcome {
  const unconnected = { sendingAddress: undefined, receivingAddress: undefined, tlsVersion: undefined }
  return { at, domain, host, ...unconnected, level: 'refused', results: [] }
}

function skippedResult(domain: DomainEvidence, host: HostEvidence, because: Reason): PolicyResult | undefined {
  const { tlsa, addresses } = host
  switch (because.code) {
    case 'tlsa-lookup-failed':
      return tlsa.status === 'failed' && tlsa.failure.class === 'bogus' ? bogus(tlsa.baseDomain) : undefined
    case 'address-lookup-failed':
      return addresses.status === 'failed' && addresses.bogus ? bogus(host.name) : undefined
    case 'dane-required':
      return withFailure({ type: 'tlsa', domain: host.name }, { type: 'dane-required', reason: 'dane-required' })
    case 'sts-policy-mx-mismatch':
      return withFailure(stsPolicy(domain.policyDomain, domain.sts?.policy), {
        type: 'validation-failure',
        reason: 'sts-policy-mx-mismatch',
      })
    default:
      return undefined
  }
}

/** An MX record that fails validation says nothing about any host: the domain itself is what is reported. */
export function judgeBogusMx(at: Date, domain: string): SessionOutcome {
  return { ...refusedBefore(at, domain, undefined), results: [bogus(domain)] }
}

/** A real fetch of an STS policy that failed: an entry of its own, beside the sessions. */
export function judgeFetch(at: Date, domain: string, type: PolicyFetchType): SessionOutcome {
  const nothing = { host: undefined, sendingAddress: undefined, receivingAddress: undefined, tlsVersion: undefined }
  const result = withFailure({ type: 'sts', domain }, { type, reason: undefined })
  return { at, domain, ...nothing, level: 'policy-fetch', results: [result] }
}

function bogus(domain: string): PolicyResult {
  return withFailure({ type: 'tlsa', domain }, { type: 'dnssec-invalid', reason: undefined })
}

/** Written out once for each answer of a resolver, and each version of a policy: sessions by the thousand share them. */
const written = new WeakMap<object, AppliedPolicy>()

function tlsaPolicy(tlsa: FoundTlsa): AppliedPolicy {
  const known = written.get(tlsa.records)
  if (known?.domain === tlsa.baseDomain) return known
  const policy: AppliedPolicy = { type: 'tlsa', domain: tlsa.baseDomain, strings: tlsaStrings(tlsa.records) }
  written.set(tlsa.records, policy)
  return policy
}

function stsPolicy(domain: string, policy: AppliedPolicies['sts']): AppliedPolicy {
  if (policy === undefined) return { type: 'sts', domain }
  const known = written.get(policy)
  if (known?.domain === domain) return known
  const quoted: AppliedPolicy = { type: 'sts', domain, strings: stsStrings(policy.text), mx: policy.mx }
  written.set(policy, quoted)
  return quoted
}

function withFailure(policy: AppliedPolicy, failure: SessionFailure | undefined): PolicyResult {
  return failure === undefined ? { policy } : { policy, failure }
}
