/**
 * What is known about a domain and its hosts when it is decided how mail may reach them. Plain data: gathered by
 * the delivery module, judged by {@link decideDomain} and {@link decideHost}.
 *
 * @module
 */

import type { TlsaEvidence } from '../dane'
import type { TlsRequest } from '../requiretls'
import type { StsEvidence } from '../mta-sts'
import type { HostSettings, Route } from '../settings'

/** Security of what led to the hosts' names; `static` routes and address literals are not looked up at all. */
export type MxSecurity = 'secure' | 'insecure' | 'not-looked-up'

export interface DomainEvidence {
  /** the recipient domain as A-labels; for a static route the name of the relay */
  readonly policyDomain: string
  readonly route: Route
  /** of the MX RRset, or of its absence: an implicit MX is as secure as the proof that there is no other (D21, D30) */
  readonly mxSecurity: MxSecurity
  /** there is no MX record: the domain is its own host (RFC 5321 §5.1) */
  readonly isImplicitMx: boolean
  /** where the next hop's own CNAME chain ends, if it has one (D20, D42) */
  readonly expandedNextHop: string | undefined
  /** undefined: not looked up (`mta-sts = disable`, static routes, address literals) */
  readonly sts: StsEvidence | undefined
}

export type AddressEvidence =
  | { readonly status: 'found'; readonly addresses: readonly string[] }
  | { readonly status: 'absent'; readonly text: string }
  | { readonly status: 'failed'; readonly text: string; readonly bogus: boolean }

export interface HostEvidence {
  /** the MX host's name as the MX record has it (A-labels), the relay's name, or an IP address */
  readonly name: string
  readonly addresses: AddressEvidence
  readonly tlsa: TlsaEvidence
}

/** What the message itself, and what came before it, bring into the decision. */
export interface Attempt {
  /** credentials (auth_user) would be sent to this host */
  readonly credentials: boolean
  /** a retry, or the only attempt there is: what relax-after-tls-failure waits for */
  readonly mayRelax: boolean
  /** what is asked for the message itself; left out: nothing */
  readonly request?: TlsRequest | undefined
}

/** All that one host's verdict depends on. */
export interface HostQuestion {
  readonly settings: HostSettings
  readonly domain: DomainEvidence
  readonly host: HostEvidence
  readonly attempt: Attempt
}
