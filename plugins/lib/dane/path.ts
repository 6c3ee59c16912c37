/**
 * Paths from a server's certificate up to a trust anchor that TLSA records name (RFC 7671 §5.2, RFC 5280 §6, RFC 4158).
 *
 * Every certificate that was presented, in whatever order, and every one that DNS holds in full may be an issuer (K8).
 * All paths are tried: among cross-signed issuers the first that fits may lead nowhere.
 *
 * @module
 */

import type { Certificate, PublicKey } from './certificate'
import { sameName } from './name'
import type { TlsaRecord } from './record'
import { isCheapKey } from './strength'

/** A trust anchor: the last certificate of the path, or a key above it that has no certificate (K9). */
export interface Path {
  /** the server's certificate first, each signed by the next one */
  readonly certificates: readonly Certificate[]
  /** signs the last certificate, where the anchor is a bare key */
  readonly anchorKey?: PublicKey
  readonly record: TlsaRecord
  /** how far above the server's certificate the anchor is: 1 or more */
  readonly depth: number
}

export interface Anchors {
  /** the record that a certificate matches, at depth 1 or above */
  readonly find: (certificate: Certificate) => TlsaRecord | undefined
  readonly keys: readonly (PublicKey & { readonly record: TlsaRecord })[]
}

/** What a hostile list of certificates may cost: issuers in a path, links that are looked at, signatures checked. */
const maxDepth = 12
const maxLinks = 5000
const maxSignatures = 100

/**
 * All paths, one after the other. They are linked by names, key identifiers and signatures; nothing else is checked yet.
 *
 * @param issuers - certificates that may stand above `leaf`, each of them once
 */
export function* findPaths(leaf: Certificate, issuers: readonly Certificate[], anchors: Anchors): Generator<Path> {
  const isSigned = signatureChecker()
  let links = 0
  yield* extend([leaf], leaf)

  function* extend(certificates: readonly Certificate[], last: Certificate): Generator<Path> {
    const depth = certificates.length
    for (const issuer of depth <= maxDepth ? issuers : []) {
      if (links++ >= maxLinks) return
      if (isIn(certificates, issuer) || !isIssuedBy(last, issuer) || !isSigned(last, issuer)) continue
      const extended = [...certificates, issuer]
      const record = anchors.find(issuer)
      if (record !== undefined) yield { certificates: extended, record, depth }
      yield* extend(extended, issuer)
    }
    for (const anchorKey of anchors.keys) {
      if (isSigned(last, anchorKey)) yield { certificates, anchorKey, record: anchorKey.record, depth }
    }
  }
}

/** The same name with the same key a second time would be a loop (RFC 4158 §2.4.2). */
function isIn(certificates: readonly Certificate[], { subject, spki }: Certificate): boolean {
  return certificates.some((one) => sameName(one.subject, subject) && Buffer.compare(one.spki, spki) === 0)
}

/** Names, key identifiers where both have one, and the issuer's key usage. */
function isIssuedBy(subject: Certificate, issuer: Certificate): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509)
  } catch {
    return false
  }
}

/** Each pair is checked once; beyond the limit nothing is signed by anyone. */
function signatureChecker(): (subject: Certificate, issuer: PublicKey) => boolean {
  const known = new Map<Certificate, Map<PublicKey, boolean>>()
  let checks = 0
  return (subject, issuer) => {
    const results = known.get(subject) ?? new Map<PublicKey, boolean>()
    const result = results.get(issuer) ?? (checks++ < maxSignatures && verifies(subject, issuer))
    known.set(subject, results.set(issuer, result))
    return result
  }
}

function verifies(subject: Certificate, { publicKey }: PublicKey): boolean {
  try {
    return isCheapKey(publicKey) && subject.x509.verify(publicKey)
  } catch {
    return false // a key of another kind than the signature
  }
}
