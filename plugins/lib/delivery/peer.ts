/**
 * Judges the certificates that a peer presented, after the handshake and before anything is said to it.
 *
 * DANE and PKIX are judged each by itself, whatever the verdict asks for: a log line and a TLS report need both. Only
 * where DANE matched and decides alone, PKIX is never asked for, and the certificate is not parsed.
 *
 * @module
 */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { readCertificate, type Acquaintance } from '../certificates'
import { isTooLarge, presentTlsa, usageName, verifyDane, wildcardHint, type DaneResult, type TlsaRecord } from '../dane'
import { PROOFS, type AttemptVerdict, type Proof, type Reason } from '../policy'
import { isoTime } from '../time'
import { printable } from './printable'

/** A TLS connection as it came out of the handshake. */
export interface TlsPeer {
  /** the end entity's certificate, in DER; undefined: none was presented */
  readonly leaf: Uint8Array | undefined
  /** All that was presented, in DER, the end entity first. Reads it at the first call, while the connection stands. */
  readonly chain: () => readonly Uint8Array[]
  /** OpenSSL's verdict on the chain alone (no names): undefined when it leads to a trusted root */
  readonly chainError: string | undefined
  readonly protocol: string
  readonly cipher: string
  readonly keyExchange: string | undefined
}

type PkixFailure =
  'certificate-missing' | 'certificate-not-trusted' | 'certificate-expired' | 'certificate-host-mismatch'

interface Invalid {
  readonly status: 'invalid'
  readonly why: PkixFailure
  readonly text: string
  /** of a certificate that is not trusted: in which way */
  readonly flaw?: ChainFlaw
}

/** Why a chain leads to no trusted root: the certificate has no issuer, no trusted issuer, or an issuer that may not sign it. */
export type ChainFlaw = 'self-signed' | 'unknown-issuer' | 'chain-invalid'

export type PkixResult =
  | { readonly status: 'valid' }
  | Invalid
  /** DANE matched and decides alone, and no STS policy applied */
  | { readonly status: 'not-judged' }

/** Postfix's words: the certificate proves the destination, is at least valid for the host, or proves nothing. */
export type TrustLevel = 'Verified' | 'Trusted' | 'Untrusted'

export interface PeerJudgement {
  readonly pkix: PkixResult
  /** undefined: no usable TLSA records applied */
  readonly dane: DaneResult | undefined
  /** why the host is refused; undefined: the verdict is satisfied */
  readonly refusal: Reason | undefined
  readonly level: TrustLevel
  /** the records that it was refused by are gone: DNS denies them, and the denial is signed */
  readonly tlsaWithdrawn?: true
  /** how a certificate that is refused, or would be at a first attempt, stands to those that are known of its host; left out: none is */
  readonly known?: Acquaintance
  /** what proved it: "matched DANE-EE 3 1 1 9f86d081…", "certificate valid for mx1.example.org" */
  readonly proof: string | undefined
  /** the section that makes it a proof: "RFC 7672 3.1.1" */
  readonly proofSource: string | undefined
}

/**
 * Judges a peer against its host's verdict.
 *
 * @param host - the name to prove under PKIX: the MX name (T23), the relay's name or an IP address
 * @param usable - the TLSA records to match, asked for again when they did not match at first
 */
export function judgePeer(
  verdict: AttemptVerdict,
  host: string,
  peer: TlsPeer,
  usable: readonly TlsaRecord[],
  now: Date,
): PeerJudgement {
  const dane =
    usable.length === 0 ? undefined : verifyDane(chainFor(usable, peer), usable, verdict.referenceIdentifiers, now)
  const daneMatched = dane?.status === 'matched'
  const daneSuffices = daneMatched && !verdict.proofs.includes('pkix') && verdict.applied.sts === undefined
  const pkix = daneSuffices ? notJudged : judgePkix(host, peer, now)

  const pkixValid = pkix.status === 'valid'
  const refusal = refusalOf(verdict, host, pkix, dane)
  const verified = refusal === undefined && verdict.proves === 'domain' // D24; an audit may let a refused peer pass
  return {
    pkix,
    dane,
    refusal,
    level: !pkixValid && !daneMatched ? 'Untrusted' : verified ? 'Verified' : 'Trusted',
    proofSource: daneMatched ? (dane.record.usage === 3 ? 'RFC 7672 3.1.1' : 'RFC 7672 3.1.2') : undefined,
    proof: daneMatched ? matchedText(dane) : pkixValid ? `certificate valid for ${host}` : undefined,
  }
}

/** Issuers count for DANE-TA only. Reading them costs, and leaks on some Node.js. */
function chainFor(usable: readonly TlsaRecord[], { leaf, chain }: TlsPeer): readonly Uint8Array[] {
  if (usable.some(({ usage }) => usage === 2)) return chain()
  return leaf === undefined ? [] : [leaf]
}

function refusalOf(
  verdict: AttemptVerdict,
  host: string,
  pkix: PkixResult,
  dane: DaneResult | undefined,
): Reason | undefined {
  const refusals: Readonly<Record<Proof, () => Reason | undefined>> = {
    dane: () => (dane?.status === 'matched' ? undefined : daneRefusal(verdict, dane)), // D40
    pkix: () => (pkix.status === 'valid' ? undefined : pkixRefusal(verdict, host, pkix)),
  }
  for (const proof of PROOFS) {
    const refusal = verdict.proofs.includes(proof) ? refusals[proof]() : undefined
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function daneRefusal({ applied: { tlsa } }: AttemptVerdict, dane: DaneResult | undefined): Reason {
  const why = dane?.status === 'refused' ? dane.why : 'dane-no-match'
  const detail = dane?.status === 'refused' ? dane.text : 'no usable TLSA record is left'
  return {
    code: why === 'no-certificate' ? 'certificate-missing' : why,
    concern: 'dane',
    text: `DANE: TLSA at ${tlsa?.queryName ?? 'its name'}: ${detail}`,
    source: why === 'dane-no-match' ? 'RFC 7672 2.2' : 'RFC 7672 3.2',
    status: '4.7.5',
  }
}

function pkixRefusal(verdict: AttemptVerdict, host: string, judged: Exclude<PkixResult, { status: 'valid' }>): Reason {
  const pkix = judged.status === 'invalid' ? judged : invalid('certificate-not-trusted', 'it was not judged')
  // a policy in testing asks for nothing: then it is the administrator who does
  const sts = verdict.proofs.includes('dane') || verdict.because.code === 'sts-policy-enforced'
  return {
    ...(verdict.isWaivedNext && { isWaivedNext: true }),
    code: pkix.why,
    concern: sts ? 'mta-sts' : 'tls',
    text: `${sts ? 'MTA-STS: ' : ''}the certificate of ${host} does not validate: ${pkix.text}${sts ? verdict.applied.stsRemark : whyNow(verdict)}`,
    source: sts ? 'RFC 8461 4.2' : 'RFC 9525 6',
    status: '4.7.5',
  }
}

/** Nobody else asks for it. */
function whyNow({ isWaivedNext }: AttemptVerdict): string {
  return isWaivedNext ? '; refused at a first attempt (allow-invalid-certs = false)' : ''
}

function matchedText(dane: Extract<DaneResult, { status: 'matched' }>): string {
  const name = dane.name === undefined ? '' : ` for ${dane.name}`
  return `matched ${usageName(dane.record.usage)} ${presentTlsa(dane.record)}${name}`
}

const notJudged: PkixResult = { status: 'not-judged' }

const outOfDate = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/** Chain, dates and name, in this order of importance; the name must be a DNS-ID (RFC 8461 §4.2, T24), never a CN. */
function judgePkix(host: string, peer: TlsPeer, now: Date): PkixResult {
  if (peer.leaf === undefined) return invalid('certificate-missing', 'none was presented')
  if (isTooLarge(peer.leaf)) return notTrusted('it takes too long to verify, too much to decode')
  const leaf = readCertificate(peer.leaf)
  if (leaf === undefined) return invalid('certificate-not-trusted', 'it cannot be parsed')

  if (peer.chainError !== undefined && !outOfDate.has(peer.chainError))
    return notTrusted(peer.chainError, flaws[peer.chainError])
  // OpenSSL tells what it finds last, which is the date: of who issued an expired certificate it says nothing
  if (peer.chainError !== undefined && leaf.checkIssued(leaf))
    return notTrusted('it is signed by itself', 'self-signed')
  const { validFromDate, validToDate } = leaf
  const isInDate = validFromDate <= now && now <= validToDate // false for dates that cannot be read
  if (peer.chainError !== undefined || !isInDate) {
    const dates = `valid from ${isoTime(validFromDate)} to ${isoTime(validToDate)}`
    return invalid('certificate-expired', `${peer.chainError ?? 'out of date'} (${dates})`)
  }
  if (!isValidFor(leaf, host))
    return invalid(
      'certificate-host-mismatch',
      `it is for ${presentNames(leaf)}, not for ${host}${wildcardHint(dnsNamesOf(leaf), [host])}`,
    )
  return { status: 'valid' }
}

/** OpenSSL's words for chains that end nowhere. */
const flaws: Readonly<Record<string, ChainFlaw>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-issuer',
}

function notTrusted(text: string, flaw: ChainFlaw = 'chain-invalid'): Invalid {
  return { ...invalid('certificate-not-trusted', text), flaw }
}

function invalid(why: PkixFailure, text: string): Invalid {
  return { status: 'invalid', why, text }
}

function isValidFor(leaf: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return leaf.checkIP(host) !== undefined
  return leaf.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined
}

function dnsNamesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return subjectAltName.split(', ').map((name) => name.replace(/^DNS:/, ''))
}

/** The names of a certificate on one short line. They come from anyone. */
function presentNames(leaf: X509Certificate): string {
  return printable(leaf.subjectAltName?.replaceAll('DNS:', '') ?? `${leaf.subject} (no DNS-ID)`, 120)
}
