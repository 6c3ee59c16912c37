/**
 * Whether a path that signatures hold together may be trusted, and today (RFC 5280 §6.1, RFC 7672 §3.1.2).
 *
 * A trust anchor that has a certificate is held to it, as OpenSSL holds one: its dates, and its constraints on what it may
 * issue (D38). Since DNS names it, it may be a version 1 root, or say by its key usage alone that it is a CA.
 *
 * @module
 */

import { isoTime } from '../time'
import type { Budget } from './budget'
import type { Certificate } from './certificate'
import { namesAreAllowed } from './constraints'
import { KeyUsage, NetscapeType, serverAuth } from './extensions'
import type { Path } from './path'
import { isStrongSignature } from './strength'

export interface Flaw {
  readonly why: 'certificate-not-trusted' | 'certificate-expired' | 'certificate-host-mismatch'
  readonly text: string
}

/** The flaw that matters most: an untrusted path is not called expired. */
export function findFlaw(path: Path, now: Date, budget: Budget): Flaw | undefined {
  const untrusted = findDistrust(path, budget)
  if (untrusted !== undefined) return { why: 'certificate-not-trusted', text: untrusted }
  const expired = findExpiry(path.certificates, now.getTime())
  return expired === undefined ? undefined : { why: 'certificate-expired', text: expired }
}

function findDistrust({ certificates, anchorKey }: Path, budget: Budget): string | undefined {
  const [leaf, ...issuers] = certificates
  if (leaf === undefined) return 'no certificate'
  const anchor = anchorKey === undefined ? issuers.at(-1) : undefined
  return (
    (mayServe(leaf) ? undefined : 'the certificate is not for TLS servers') ??
    first(issuers, (issuer, index) => findIssuerFlaw(issuer, index + 1, issuer === anchor)) ??
    first(issuers, (_, index) => findPathLengthFlaw(issuers, index)) ??
    first(certificates, (one, depth) => findWeakness(one, depth, one === anchor)) ??
    first(issuers, (issuer, index) => findNameFlaw(certificates.slice(0, index + 1), issuer, index + 1, budget))
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

/**
 * Key usage and extended key usage restrict where they are (RFC 5280 §4.2.1.3, §4.2.1.12), and so does nsCertType, as with
 * OpenSSL. Of an issuer, nsCertType says nothing that basicConstraints do not say, which it must have.
 */
function mayServe(leaf: Certificate): boolean {
  const { keyUsage, netscapeType } = leaf.extensions
  if (netscapeType?.has(NetscapeType.sslServer) === false) return false
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
  return keyUsage?.has(KeyUsage.keyCertSign) ?? (certificate.version === 1 && certificate.isSelfIssued)
}

/** Self-issued certificates do not count, they only change a key (RFC 5280 §4.2.1.9). */
function findPathLengthFlaw(issuers: readonly Certificate[], index: number): string | undefined {
  const limit = issuers[index]?.extensions.basicConstraints?.pathLength
  const below = issuers.slice(0, index).filter((one) => !one.isSelfIssued).length
  return limit === undefined || below <= limit
    ? undefined
    : `the path is longer than its CA at depth ${index + 1} allows`
}

/** Nothing rests on the signature that a trust anchor bears. Weak keys never come as far as into a path. */
function findWeakness({ signatureAlgorithm }: Certificate, depth: number, isAnchor: boolean): string | undefined {
  if (isAnchor || isStrongSignature(signatureAlgorithm)) return undefined
  return `the signature at depth ${depth} is weak or of an unusual kind`
}

/** Self-issued certificates are exempt, but for the server's own (RFC 5280 §6.1.3). */
function findNameFlaw(
  below: readonly Certificate[],
  issuer: Certificate,
  depth: number,
  budget: Budget,
): string | undefined {
  const constraints = issuer.extensions.nameConstraints
  if (constraints === undefined) return undefined
  const refused = below.some(
    (one, index) => (index === 0 || !one.isSelfIssued) && !namesAreAllowed(constraints, one, index === 0, budget),
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
