/**
 * Whom a certificate may name where a DANE-TA record vouches for it (RFC 7672 §3.2.2).
 *
 * @module
 */

import type { Security } from '../dns'
import { canonicalHost } from './name'

export interface ReferenceInput {
  /** of the MX record that named the host; 'none': a relay, or a domain without MX */
  readonly mxSecurity: Security | 'none'
  /** where the TLSA records were found */
  readonly baseDomain: string
  readonly host: string
  /** the domain or relay that the mail is for */
  readonly nextHop: string
  /** where its CNAME chain ends, if it has one */
  readonly expandedNextHop?: string
}

/**
 * The reference identifiers, best first, as A-labels in lower case: the TLSA base domain (D41), the next hop, and behind
 * a secure MX record what the next hop is an alias of (D42).
 *
 * Behind an insecure MX record the next hop vouches for nothing: what is left is the MX name, and its base domain where
 * that is what the MX name is a secure alias of.
 */
export function referenceIdentifiers(input: ReferenceInput): readonly string[] {
  return [...new Set(namesOf(input).map(canonicalHost))]
}

function namesOf({ mxSecurity, baseDomain, host, nextHop, expandedNextHop = nextHop }: ReferenceInput): string[] {
  if (mxSecurity === 'insecure') return [baseDomain, host]
  return mxSecurity === 'secure' ? [baseDomain, nextHop, expandedNextHop] : [baseDomain, nextHop]
}
