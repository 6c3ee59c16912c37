/**
 * Paths from a server's certificate up to a trust anchor that TLSA records name (RFC 7671 §5.2, RFC 5280 §6, RFC 4158).
 *
 * Every certificate that was presented, in whatever order, and every one that DNS holds in full may be an issuer (K8).
 * All paths are tried: among cross-signed issuers the first that fits may lead nowhere.
 *
 * @module
 */

import { findExcess, spend, type Budget } from './budget'
import type { Certificate, PublicKey } from './certificate'
import { sameName } from './name'
import type { TlsaRecord } from './record'

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

/** Issuers in a path. */
const maxDepth = 12

/**
 * All paths, one after the other, as far as the budget reaches. They are linked by names, key identifiers and signatures;
 * nothing else is checked yet.
 *
 * @param issuers - certificates that may stand above `leaf`, each of them once
 */
export function* findPaths(
  leaf: Certificate,
  issuers: readonly Certificate[],
  anchors: Anchors,
  budget: Budget,
): Generator<Path> {
  const isSigned = signatureChecker(budget)
  yield* extend([leaf], leaf)

  function* extend(certificates: readonly Certificate[], last: Certificate): Generator<Path> {
    const depth = certificates.length
    for (const issuer of depth <= maxDepth ? issuers : []) {
      if (certificates.includes(issuer) || !isSigned(last, issuer)) continue
      if (!spend(budget, 'links', 1)) return
      if (isIn(certificates, issuer)) continue
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
  return certificates.some((one) => Buffer.compare(one.spki, spki) === 0 && sameName(one.subject, subject))
}

/** Each pair is checked once; beyond the budget nothing is signed by anyone. */
function signatureChecker(budget: Budget): (subject: Certificate, issuer: Certificate | PublicKey) => boolean {
  const known = new Map<Certificate, Map<PublicKey, boolean>>()
  return (subject, issuer) => {
    const results = known.get(subject) ?? new Map<PublicKey, boolean>()
    const result = results.get(issuer) ?? (findExcess(budget) === undefined && isSignedBy(subject, issuer, budget))
    known.set(subject, results.set(issuer, result))
    return result
  }
}

/** Of an issuer that has a certificate: names, key identifiers where both have one, and its key usage, too. */
function isSignedBy({ x509 }: Certificate, issuer: Certificate | PublicKey, budget: Budget): boolean {
  try {
    if ('x509' in issuer && !x509.checkIssued(issuer.x509)) return false
    return spend(budget, 'signatures', issuer.cost) && x509.verify(issuer.publicKey)
  } catch {
    return false // a key of another kind than the signature
  }
}
