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
 * @param isOurs - tells more of them, by names in lower-case A-labels
 */
export function createOursTest(
  domains: Iterable<string>,
  isOurs: (domain: string) => boolean = () => false,
): (policy: ReceivedPolicy) => boolean {
  const ours = new Set([...domains].flatMap((domain) => domainOf(domain) ?? []))
  const isOne = (domain: string): boolean => ours.has(domain) || isOurs(domain)
  return ({ type, domain }) => {
    if (domain === undefined) return false
    return isOne(domain) || (type === 'tlsa' && parentsOf(domain).some(isOne))
  }
}

function parentsOf(domain: string): readonly string[] {
  const labels = domain.split('.')
  return labels.slice(1).map((_label, index) => labels.slice(index + 1).join('.'))
}
