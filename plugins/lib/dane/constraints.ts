/**
 * Name constraints: whether the names of a certificate lie where a CA above it may issue (RFC 5280 §4.2.1.10).
 *
 * Host names and distinguished names are compared. A name of any other kind is refused as soon as a constraint of its
 * kind exists, be it permitted or excluded: what is not understood is not allowed.
 *
 * @module
 */

import type { Certificate } from './certificate'
import { readOne } from './der'
import type { NameConstraints } from './extensions'
import { isHostName, Kind, lowerCase, readName, startsWithName, type DistinguishedName, type GeneralName } from './name'

/** A name in a certificate; `content` is missing where it cannot be compared. */
type Name =
  | { readonly kind: typeof Kind.dns; readonly host: string }
  | { readonly kind: typeof Kind.directory; readonly name: DistinguishedName | undefined }
  | { readonly kind: number; readonly opaque: true }

/**
 * @param isLeaf - common names count as host names in the server's certificate only, and where it has no DNS-ID (D43)
 * @returns whether every name in the certificate is permitted and none excluded
 */
export function namesAreAllowed(constraints: NameConstraints, certificate: Certificate, isLeaf: boolean): boolean {
  return namesOf(certificate, isLeaf).every((name) => {
    const permitted = constraints.permitted.filter(({ kind }) => kind === name.kind)
    const excluded = constraints.excluded.filter(({ kind }) => kind === name.kind)
    if (permitted.length > 0 && !permitted.some((base) => isWithin(name, base))) return false
    return !excluded.some((base) => mayOverlap(name, base))
  })
}

function namesOf({ subject, extensions }: Certificate, isLeaf: boolean): readonly Name[] {
  const alternatives = extensions.alternativeNames
  const commonNames = isLeaf && !alternatives.some(({ kind }) => kind === Kind.dns) ? subject.commonNames : []
  return [
    ...alternatives.map(readAlternative),
    ...commonNames
      .map(lowerCase)
      .filter(looksLikeHost)
      .map((host) => ({ kind: Kind.dns, host })),
    ...(subject.parts.length > 0 ? [{ kind: Kind.directory, name: subject }] : []),
    ...(subject.hasEmail ? [{ kind: Kind.email, opaque: true as const }] : []),
  ]
}

function readAlternative({ kind, content }: GeneralName): Name {
  if (kind === Kind.dns) return { kind, host: lowerCase(Buffer.from(content).toString('latin1')) }
  if (kind === Kind.directory) return { kind, name: readName(readOne(content)) }
  return { kind, opaque: true }
}

/** As far as {@link matchName} could match it. */
function looksLikeHost(name: string): boolean {
  return isHostName(name.replace(/^\*\./, ''))
}

function isWithin(name: Name, { content }: GeneralName): boolean {
  if ('host' in name) return isWithinDomain(name.host, readDomain(content))
  if (!('name' in name) || name.name === undefined) return false
  const base = readName(readOne(content))
  return base !== undefined && startsWithName(name.name, base)
}

/** For exclusion, what cannot be compared counts as overlapping, and so does a wildcard above the excluded domain. */
function mayOverlap(name: Name, { content }: GeneralName): boolean {
  if ('host' in name) {
    const domain = readDomain(content)
    const parent = name.host.startsWith('*.') ? name.host.slice(2) : undefined
    return isWithinDomain(name.host, domain) || (parent !== undefined && isWithinDomain(domain, parent))
  }
  if (!('name' in name) || name.name === undefined) return true
  const base = readName(readOne(content))
  return base === undefined || startsWithName(name.name, base)
}

function readDomain(content: Uint8Array): string {
  return lowerCase(Buffer.from(content).toString('latin1'))
}

/** "example.org" holds itself and all below it; ".example.org", which many write, only what is below; "" everything. */
function isWithinDomain(host: string, domain: string): boolean {
  if (domain === '' || host === domain) return true
  return host.endsWith(domain.startsWith('.') ? domain : `.${domain}`)
}
