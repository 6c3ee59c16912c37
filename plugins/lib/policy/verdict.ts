/**
 * What one MX host must satisfy before mail may go to it, and why.
 *
 * @module
 */

import type { TlsRequest } from '../requiretls'
import type { HostSettings } from '../settings'
import type { StsPolicy } from '../mta-sts'
import type { TlsaEvidence } from '../dane'
import type { Reason } from './reason'

/** Ordered: a stricter level satisfies a laxer one. */
export type TlsLevel = 'none' | 'opportunistic' | 'required'

/** A way in which a host proves its identity: a TLSA record matches, or its certificate is valid for its name. */
export type Proof = (typeof PROOFS)[number]

/** In the order in which they are judged: the first that is missing is the reason for a refusal. */
export const PROOFS = ['dane', 'pkix'] as const

/** Why a proof that would be asked for is not: said in the log wherever a certificate passed only because of it. */
export type Leniency = 'allow-invalid-certs' | 'relax-after-tls-failure' | 'static-route'

export type FoundTlsa = Extract<TlsaEvidence, { status: 'found' }>

/** The policies that applied to the host, whatever decided: each is judged, and reported, by itself (RFC 8460 §4.2). */
export interface AppliedPolicies {
  readonly tlsa: FoundTlsa | undefined
  /** with the domain's policy in mode enforce or testing */
  readonly sts: StsPolicy | undefined
  /** whether that policy names the host */
  readonly stsListsHost: boolean
  /** what to say where that policy is known from the cache alone; '' otherwise */
  readonly stsRemark: string
}

export interface SkipVerdict {
  readonly action: 'skip'
  readonly because: Reason
  readonly applied: AppliedPolicies
  readonly settings: HostSettings
}

export interface AttemptVerdict {
  readonly action: 'attempt'
  readonly tls: TlsLevel
  /** the set of proofs that the host must give, all of them; empty: none */
  readonly proofs: readonly Proof[]
  /** without proofs: what waived them, if anything did */
  readonly leniency: Leniency | undefined
  /** the next attempt waives the proof: it is asked for since this is the first one (relax-after-tls-failure) */
  readonly isWaivedNext: boolean
  /** STARTTLS not offered, or refused: deliver in clear text */
  readonly clearTextWithoutStarttls: boolean
  /** the handshake failed: try the same host once more in clear text */
  readonly clearTextAfterFailure: boolean
  /** for SNI: the TLSA base domain where DANE authenticates (D47), else the MX name (T20); undefined for IP addresses */
  readonly serverName: string | undefined
  /** whom a DANE-TA certificate may name (D41, D42) */
  readonly referenceIdentifiers: readonly string[]
  /** a proof behind an insecure MX record is a proof of the wrong thing: logged Trusted, never Verified (D24) */
  readonly proves: 'domain' | 'host'
  readonly because: Reason
  /** under `audit`: what would have been refused before connecting */
  readonly wouldSkip: Reason | undefined
  /** failures are logged and recorded, but refuse nothing: an audit, or `request` says so */
  readonly audit: boolean
  /** what is asked for the message; with `requiretls` the host must offer REQUIRETLS over TLS, and is told so with MAIL (Q1) */
  readonly request: TlsRequest | undefined
  /** worth a WARN wherever this verdict is carried out */
  readonly warning: string | undefined
  readonly applied: AppliedPolicies
  readonly settings: HostSettings
}

export type Verdict = SkipVerdict | AttemptVerdict

/** A domain none of whose hosts may be tried, or one that may go on to its hosts. */
export type DomainVerdict = { readonly action: 'defer'; readonly because: Reason } | { readonly action: 'proceed' }
