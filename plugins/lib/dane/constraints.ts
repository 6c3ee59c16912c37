/**
 * Name constraints: whether the names of a certificate lie where a CA above it may issue (RFC 5280 §4.2.1.10).
 *
 * Host names and distinguished names are compared. A name of any other kind is refused as soon as a constraint of its
 * kind exists, be it permitted or excluded: what is not understood is not allowed.
 *
 * @module
 */

import { spend, type Budget } from './budget'
import type { Certificate } from './certificate'
import type { NameConstraints } from './extensions'
import { isHostName, GeneralNameKind, lowerCase, startsWithName, type GeneralName } from './name'

/**
 * @param isLeaf - common names count as host names in the server's certificate only, and where it has no DNS-ID (D43)
 * @returns whether every name in the certificate is permitted and none excluded; false, too, where that costs too much
 */
export function namesAreAllowed(
  { permitted, excluded }: NameConstraints,
  certificate: Certificate,
  isLeaf: boolean,
  budget: Budget,
): boolean {
  return namesOf(certificate, isLeaf).every((name) => {
    const within = permitted.get(name.kind) ?? []
    const without = excluded.get(name.kind) ?? []
    if (!spend(budget, 'names', 1 + within.length + without.length)) return false
    if (within.length > 0 && !within.some((base) => isWithin(name, base))) return false
    return !without.some((base) => mayOverlap(name, base))
  })
}

function namesOf({ subject, extensions }: Certificate, isLeaf: boolean): readonly GeneralName[] {
  const alternatives = extensions.alternativeNames
  const commonNames =
    isLeaf && !alternatives.some(({ kind }) => kind === GeneralNameKind.dns) ? subject.commonNames : []
  return [
    ...alternatives,
    ...commonNames
      .map(lowerCase)
      .filter(looksLikeHost)
      .map((host) => ({ kind: GeneralNameKind.dns, host })),
    ...(subject.parts.length > 0 ? [{ kind: GeneralNameKind.directory, name: subject }] : []),
    ...(subject.hasEmail ? [{ kind: GeneralNameKind.email }] : []),
  ]
}

/** As far as {@link matchName} could match it. */
function looksLikeHost(name: string): boolean {
  return isHostName(name.replace(/^\*\./, ''))
}

function isWithin({ host, name }: GeneralName, base: GeneralName): boolean {
  if (host !== undefined && base.host !== undefined) return isWithinDomain(host, base.host)
  return name !== undefined && base.name !== undefined && startsWithName(name, base.name)
}

/** For exclusion, what cannot be compared counts as overlapping, and so does a wildcard above the excluded domain. */
function mayOverlap({ host, name }: GeneralName, base: GeneralName): boolean {
  if (host !== undefined && base.host !== undefined)
    return isWithinDomain(host, base.host) || (host.startsWith('*.') && isWithinDomain(base.host, host.slice(2)))
  return name === undefined || base.name === undefined || startsWithName(name, base.name)
}

/** "example.org" holds itself and all below it; ".example.org", which many write, only what is below; "" everything. */
function isWithinDomain(host: string, domain: string): boolean {
  if (domain === '' || host === domain) return true
  if (!host.endsWith(domain)) return false
  return domain.startsWith('.') || host[host.length - domain.length - 1] === '.'
}
