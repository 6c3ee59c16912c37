/**
 * Certificates and keys as DANE looks at them (RFC 5280 §4.1): what a TLSA record selects, and what a path needs to know.
 *
 * The fields that a path depends on are read here, strictly; keys and signatures are OpenSSL's business.
 *
 * @module
 */

import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { constructed, rawOf, readInside, readOne, readSmallInteger, readTime, Tag, type Element } from './der'
import { readExtensions, type Extensions } from './extensions'
import { readDistinguishedName, sameName, type DistinguishedName } from './name'
import { judgeKey } from './strength'

export interface Certificate {
  readonly der: Uint8Array
  /** SubjectPublicKeyInfo, as it stands in the certificate */
  readonly spki: Uint8Array
  readonly version: number
  readonly subject: DistinguishedName
  /** its issuer has the same name */
  readonly isSelfIssued: boolean
  /** milliseconds since 1970, both inclusive */
  readonly notBefore: number
  readonly notAfter: number
  readonly signatureAlgorithm: Element
  readonly extensions: Extensions
  readonly publicKey: KeyObject
  /** of a signature to verify by its key, as a budget counts */
  readonly cost: number
  readonly x509: X509Certificate
}

/** What cannot be used, and why, for people. */
export interface CertificateProblem {
  readonly problem: string
}

/** A public key, DER: what `2 1 0` and `3 1 0` hold. */
export interface PublicKey {
  readonly spki: Uint8Array
  readonly publicKey: KeyObject
  readonly cost: number
}

const problem = (text: string): CertificateProblem => ({ problem: text })

/** The fields of a certificate, in their order. The version, absent where it is 1, is put there. */
function readFields(der: Uint8Array): readonly Element[] | undefined {
  const [tbs] = readInside(readOne(der), Tag.sequence) ?? []
  const fields = readInside(tbs, Tag.sequence)
  const first = fields?.[0]
  if (fields === undefined || first === undefined) return undefined
  return first.tag === constructed(0) ? fields : [first, ...fields]
}

/**
 * The SubjectPublicKeyInfo of a certificate: all that selector 1 needs. It asks for nothing else to be in order.
 *
 * @returns undefined where `der` is not a certificate
 */
export function selectPublicKey(der: Uint8Array): Uint8Array | undefined {
  const spki = readFields(der)?.[6]
  return spki?.tag === Tag.sequence ? rawOf(spki) : undefined
}

/** Reads a certificate that is to stand in a path: much must be in order that DANE-EE does not care for. Never throws. */
export function readPathCertificate(der: Uint8Array): Certificate | CertificateProblem {
  const parts = readInside(readOne(der), Tag.sequence)
  const fields = readFields(der)
  if (parts?.length !== 3 || fields === undefined) return problem('malformed')
  const [version, , innerAlgorithm, issuerField, validity, subjectField, spki, ...optional] = fields
  const signatureAlgorithm = parts[1]
  if (innerAlgorithm === undefined || signatureAlgorithm === undefined || spki === undefined)
    return problem('malformed')
  if (Buffer.compare(rawOf(innerAlgorithm), rawOf(signatureAlgorithm)) !== 0) return problem('two signature algorithms')

  const issuer = readDistinguishedName(issuerField)
  const subject = readDistinguishedName(subjectField)
  const [notBefore, notAfter, ...noMore] = readInside(validity, Tag.sequence)?.map(readTime) ?? []
  if (issuer === undefined || subject === undefined) return problem('a malformed name')
  if (notBefore === undefined || notAfter === undefined || noMore.length > 0) return problem('malformed dates')

  const extensions = readExtensions(optional.find(({ tag }) => tag === constructed(3)))
  if (typeof extensions === 'string') return problem(extensions)
  const strength = judgeKey(spki)
  if ('flaw' in strength) return problem(strength.flaw)

  const decoded = decodeCertificate(der)
  if ('problem' in decoded) return decoded
  return {
    ...decoded,
    ...strength,
    der,
    spki: rawOf(spki),
    version: readVersion(version),
    subject,
    isSelfIssued: sameName(issuer, subject),
    notBefore,
    notAfter,
    signatureAlgorithm,
    extensions,
  }
}

function readVersion(field: Element | undefined): number {
  return field?.tag === constructed(0) ? (readSmallInteger(readOne(field.content)) ?? 0) + 1 : 1
}

/**
 * OpenSSL's view of a certificate, which must be a view of the same one: `X509Certificate` takes PEM for anything that
 * holds some, even a certificate in DER that quotes another one in PEM. So PEM is what it gets. Never throws.
 */
export function decodeCertificate(
  der: Uint8Array,
): { x509: X509Certificate; publicKey: KeyObject } | CertificateProblem {
  if (readOne(der, Tag.sequence) === undefined) return problem('malformed')
  const base64 = Buffer.from(der).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  try {
    const x509 = new X509Certificate(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`)
    if (Buffer.compare(x509.raw, der) !== 0) return problem('malformed')
    return { x509, publicKey: x509.publicKey }
  } catch {
    return problem('malformed, or its key is of an unknown kind')
  }
}

/** A SubjectPublicKeyInfo, DER. Never throws. */
export function decodePublicKey(der: Uint8Array): { publicKey: KeyObject } | CertificateProblem {
  if (readOne(der, Tag.sequence) === undefined) return problem('malformed')
  try {
    return { publicKey: createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }) }
  } catch {
    return problem('malformed, or of an unknown kind')
  }
}

/** A key that is to be a trust anchor. Never throws. */
export function readPublicKey(der: Uint8Array): PublicKey | CertificateProblem {
  const strength = judgeKey(readOne(der))
  if ('flaw' in strength) return problem(strength.flaw)
  const decoded = decodePublicKey(der)
  return 'problem' in decoded ? decoded : { ...decoded, ...strength, spki: der }
}
