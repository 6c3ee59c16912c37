/**
 * Which policies of a report are about us. Anyone can report about anyone: what is about others is noted, and not counted.
 *
 * @module
 */

import { domainOf } from './fields'
import type { ReceivedPolicy } from './report'

/**
 * Whether a policy is about one of these domains: the domain itself, or a host in it, since the policy domain of DANE is that of a host
 * (RFC 8460 §1.1).
 *
 * @param domains - in any spelling; MX hosts in other domains too, where TLSA records are for them
 */
export function createOursTest(domains: Iterable<string>): (policy: ReceivedPolicy) => boolean {
  const ours = new Set([...domains].flatMap((domain) => domainOf(domain) ?? []))
  return ({ type, domain }) => {
    if (domain === undefined) return false
    return ours.has(domain) || (type === 'tlsa' && parentsOf(domain).some((parent) => ours.has(parent)))
  }
}

function parentsOf(domain: string): readonly string[] {
  const labels = domain.split('.')
  return labels.slice(1).map((_label, index) => labels.slice(index + 1).join('.'))
}
