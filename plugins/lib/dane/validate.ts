/**
 * Whether a path that signatures hold together may be trusted, and today (RFC 5280 §6.1, RFC 7672 §3.1.2).
 *
 * A trust anchor that has a certificate is held to it, as OpenSSL holds one: its dates, and its constraints on what it may
 * issue (D38). Since DNS names it, it may be a version 1 root, or say by its key usage alone that it is a CA.
 *
 * @module
 */

import { isoTime } from '../time'
import type { Certificate } from './certificate'
import { namesAreAllowed } from './constraints'
import { KeyUsage, serverAuth } from './extensions'
import { sameName } from './name'
import type { Path } from './path'
import { isStrongKey, isStrongSignature } from './strength'

export interface Flaw {
  readonly why: 'certificate-not-trusted' | 'certificate-expired'
  readonly text: string
}

/** The flaw that matters most: an untrusted path is not called expired. */
export function findFlaw(path: Path, now: Date): Flaw | undefined {
  const untrusted = findDistrust(path)
  if (untrusted !== undefined) return { why: 'certificate-not-trusted', text: untrusted }
  const expired = findExpiry(path.certificates, now.getTime())
  return expired === undefined ? undefined : { why: 'certificate-expired', text: expired }
}

function findDistrust({ certificates, anchorKey }: Path): string | undefined {
  const [leaf, ...issuers] = certificates
  if (leaf === undefined) return 'no certificate'
  const anchor = anchorKey === undefined ? issuers.at(-1) : undefined
  return (
    (mayServe(leaf) ? undefined : 'the certificate is not for TLS servers') ??
    first(issuers, (issuer, index) => findIssuerFlaw(issuer, index + 1, issuer === anchor)) ??
    first(issuers, (_, index) => findPathLengthFlaw(issuers, index)) ??
    first(certificates, (one, depth) => findWeakness(one, depth, one === anchor)) ??
    (anchorKey === undefined || isStrongKey(anchorKey.publicKey) ? undefined : 'the key in its TLSA record is weak') ??
    first(issuers, (issuer, index) => findNameFlaw(certificates.slice(0, index + 1), issuer, index + 1))
  )
}

function first<Item>(
  items: readonly Item[],
  look: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = look(item, index)
    if (found !== undefined) return found
  }
  return undefined
}

/** Key usage and extended key usage restrict where they are (RFC 5280 §4.2.1.3, §4.2.1.12). */
function mayServe(leaf: Certificate): boolean {
  const { keyUsage } = leaf.extensions
  const forTls = [KeyUsage.digitalSignature, KeyUsage.keyEncipherment, KeyUsage.keyAgreement]
  return isForServers(leaf) && (keyUsage === undefined || forTls.some((bit) => keyUsage.has(bit)))
}

/** "Any" alone is not enough, as with OpenSSL. */
function isForServers({ extensions: { extendedKeyUsage } }: Certificate): boolean {
  return extendedKeyUsage?.includes(serverAuth) ?? true
}

function findIssuerFlaw(issuer: Certificate, depth: number, isAnchor: boolean): string | undefined {
  const { keyUsage } = issuer.extensions
  if (!isAuthority(issuer) && !(isAnchor && isOldAuthority(issuer))) return `the issuer at depth ${depth} is not a CA`
  if (keyUsage?.has(KeyUsage.keyCertSign) === false) return `the issuer at depth ${depth} may not sign certificates`
  if (!isForServers(issuer)) return `the issuer at depth ${depth} is not for TLS servers`
  return undefined
}

function isAuthority({ version, extensions: { basicConstraints } }: Certificate): boolean {
  return version === 3 && basicConstraints?.ca === true
}

function isOldAuthority(certificate: Certificate): boolean {
  const { basicConstraints, keyUsage } = certificate.extensions
  if (basicConstraints !== undefined) return false
  return keyUsage?.has(KeyUsage.keyCertSign) ?? (certificate.version === 1 && isSelfIssued(certificate))
}

/** Self-issued certificates do not count, they only change a key (RFC 5280 §4.2.1.9). */
function findPathLengthFlaw(issuers: readonly Certificate[], index: number): string | undefined {
  const limit = issuers[index]?.extensions.basicConstraints?.pathLength
  const below = issuers.slice(0, index).filter((one) => !isSelfIssued(one)).length
  return limit === undefined || below <= limit
    ? undefined
    : `the path is longer than its CA at depth ${index + 1} allows`
}

function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return sameName(issuer, subject)
}

/** Nothing rests on the signature that a trust anchor bears. */
function findWeakness(certificate: Certificate, depth: number, isAnchor: boolean): string | undefined {
  const { publicKey, signatureAlgorithm } = certificate
  if (!isStrongKey(publicKey)) return `the key at depth ${depth} is weak or of an unusual kind`
  if (isAnchor || isStrongSignature(signatureAlgorithm)) return undefined
  return `the signature at depth ${depth} is weak or of an unusual kind`
}

/** Self-issued certificates are exempt, but for the server's own (RFC 5280 §6.1.3). */
function findNameFlaw(below: readonly Certificate[], issuer: Certificate, depth: number): string | undefined {
  const constraints = issuer.extensions.nameConstraints
  if (constraints === undefined) return undefined
  const refused = below.some(
    (one, index) => (index === 0 || !isSelfIssued(one)) && !namesAreAllowed(constraints, one, index === 0),
  )
  return refused ? `a name is outside of what its CA at depth ${depth} may issue for` : undefined
}

function findExpiry(certificates: readonly Certificate[], now: number): string | undefined {
  return first(certificates, ({ notBefore, notAfter }, depth) => {
    const which = depth === 0 ? 'its certificate' : `the issuer at depth ${depth}`
    if (now < notBefore) return `${which} is not valid before ${isoTime(notBefore)}`
    if (now > notAfter + 999) return `${which} expired on ${isoTime(notAfter)}` // to the end of that second
    return undefined
  })
}
