/**
 * Whether the certificates that a server presented are those that its TLSA records promise (RFC 7672 §3, RFC 7671 §5).
 *
 * @module
 */

import { readCertificate, readPublicKey, selectPublicKey, type Certificate, type Problem } from './certificate'
import { isHostName, Kind, lowerCase, matchName } from './name'
import { findPaths, type Anchors, type Path } from './path'
import {
  indexRecords,
  keyOf,
  presentTlsa,
  recordOf,
  withStrongestDigests,
  type Selected,
  type TlsaRecord,
} from './record'
import { findFlaw } from './validate'

export type DaneResult =
  | {
      readonly status: 'matched'
      readonly record: TlsaRecord
      /** of the certificate or key that the record is of: 0 is the server's own */
      readonly depth: number
      /** the reference identifier that the certificate is for; DANE-EE asks for none */
      readonly name?: string
    }
  | DaneRefusal

export interface DaneRefusal {
  readonly status: 'refused'
  readonly why:
    'dane-no-match' | 'certificate-not-trusted' | 'certificate-expired' | 'certificate-host-mismatch' | 'no-certificate'
  /** for people, naming what was presented: "… presented 3 1 1 fd61a03a…" */
  readonly text: string
}

/** What to verify: certificates in DER, the server's own first, and the DANE-TA records that count. */
interface Task {
  readonly presented: readonly [Uint8Array, ...Uint8Array[]]
  readonly records: readonly TlsaRecord[]
  readonly names: readonly string[]
  readonly now: Date
}

/** No honest server presents more. */
const maxCertificates = 32

/**
 * Verifies a server's certificates by its usable TLSA records. Digest agility is applied here (K11).
 *
 * DANE-EE comes first, and asks for neither names nor dates (D37). DANE-TA asks for a path to the trust anchor, for dates
 * and for a name; of several refusals the one of the path that came furthest is told. Never throws.
 *
 * @param presented - DER, the server's own first, exactly as it sent them
 * @param usable - the usable records of its secure RRset
 * @param names - reference identifiers for DANE-TA (D41, D42)
 */
export function verifyDane(
  presented: readonly Uint8Array[],
  usable: readonly TlsaRecord[],
  names: readonly string[],
  now: Date,
): DaneResult {
  const [leaf, ...others] = presented.slice(0, maxCertificates)
  if (leaf === undefined) return refuse('no-certificate', 'it presented no certificate')

  const records = withStrongestDigests(usable)
  const daneEe = records.filter(({ usage }) => usage === 3)
  const daneTa = records.filter(({ usage }) => usage === 2)

  const ofLeaf = indexRecords(daneEe)(select(leaf))
  if (ofLeaf !== undefined) return { status: 'matched', record: ofLeaf, depth: 0 }
  return verifyByAnchors({ presented: [leaf, ...others], records: daneTa, names, now }) ?? refuseAll(records, leaf)
}

function select(der: Uint8Array): Selected {
  return [der, selectPublicKey(der)]
}

/** @returns undefined where no DANE-TA record matches anything */
function verifyByAnchors(task: Task): DaneResult | undefined {
  const leaf = readCertificate(task.presented[0])
  if ('problem' in leaf) return refuseUnlinked(task, `its certificate cannot be used, ${leaf.problem}`)

  let furthest: DaneRefusal | undefined
  for (const path of findPaths(leaf, readIssuers(task), readAnchors(task))) {
    const result = judgePath(task, path, leaf)
    if (result.status === 'matched') return result
    furthest = furthest === undefined || rank(result) > rank(furthest) ? result : furthest
  }
  return furthest ?? refuseUnlinked(task, 'its certificate was not issued by what this record matches')
}

/** A record matches a certificate that was presented, but no path leads there: it may just have been stapled. */
function refuseUnlinked({ presented: [leaf, ...issuers], records }: Task, text: string): DaneRefusal | undefined {
  const record = issuers
    .map(select)
    .map(indexRecords(records))
    .find((found) => found !== undefined)
  return record && refuse('certificate-not-trusted', describe(text, record, leaf))
}

/** One detail is reported, in this order; a later one means that the path was better. */
function rank({ why }: DaneRefusal): number {
  return ['certificate-not-trusted', 'certificate-expired', 'certificate-host-mismatch'].indexOf(why)
}

/** All that may stand above the server's certificate, each once: what was presented, and what DNS holds in full (K8). */
function readIssuers({ presented: [, ...presented], records }: Task): readonly Certificate[] {
  const inDns = records.filter(({ selector, matchingType }) => selector === 0 && matchingType === 0)
  const all = [...presented, ...inDns.slice(0, maxCertificates).map(({ data }) => data)]
  const unique = new Map(all.map((der) => [keyOf(der), der]))
  return [...unique.values()].map(readCertificate).filter(isCertificate)
}

function isCertificate(read: Certificate | Problem): read is Certificate {
  return !('problem' in read)
}

/** A key from DNS is an anchor of its own only where nothing that was presented has it (K9). */
function readAnchors({ presented, records }: Task): Anchors {
  const inDns = records.filter(({ selector, matchingType }) => selector === 1 && matchingType === 0)
  const presentedKeys = new Set(presented.map((der) => keyOf(selectPublicKey(der) ?? der)))
  const keys = inDns
    .filter(({ data }) => !presentedKeys.has(keyOf(data)))
    .slice(0, maxCertificates)
    .map((record) => ({ ...readPublicKey(record.data), record }))
    .filter((key) => 'publicKey' in key)
  const find = indexRecords(records)
  return { keys, find: ({ der, spki }) => find([der, spki]) }
}

function judgePath({ names, now, presented }: Task, path: Path, leaf: Certificate): DaneResult {
  const { record, depth } = path
  const flaw = findFlaw(path, now)
  if (flaw !== undefined) return refuse(flaw.why, describe(flaw.text, record, presented[0]))

  const dnsNames = leaf.extensions.alternativeNames
    .filter(({ kind }) => kind === Kind.dns)
    .map(({ content }) => Buffer.from(content).toString('latin1'))
  const name = names.find((one) => matchName(dnsNames, leaf.subject.commonNames, one))
  if (name !== undefined) return { status: 'matched', record, depth, name }

  const held = listNames(dnsNames.length > 0 ? dnsNames : leaf.subject.commonNames)
  const text = `its certificate is for ${held}, not for ${names.join(' or ')}`
  return refuse('certificate-host-mismatch', describe(text, record, presented[0]))
}

/** Names as they may be shown: those that are host names, and not too many. */
function listNames(names: readonly string[]): string {
  const shown = names.map(lowerCase).filter((name) => isHostName(name.replace(/^\*\./, '')))
  const more = names.length - Math.min(shown.length, 4)
  const list = shown.slice(0, 4).join(', ')
  if (list === '') return 'no host name'
  return more === 0 ? list : `${list} and ${more} more`
}

function refuseAll(records: readonly TlsaRecord[], leaf: Uint8Array): DaneRefusal {
  const shown = records.slice(0, 4).map(presentTlsa)
  const list = [...shown, ...(records.length > 4 ? ['…'] : [])].join(', ')
  const text = `none of ${records.length} TLSA ${records.length === 1 ? 'record' : 'records'} matches its certificate`
  return refuse('dane-no-match', `${text} (${list}; presented ${presentedDigest(leaf)})`)
}

function describe(text: string, record: TlsaRecord, leaf: Uint8Array): string {
  return `${text} (${presentTlsa(record)}; presented ${presentedDigest(leaf)})`
}

function refuse(why: DaneRefusal['why'], text: string): DaneRefusal {
  return { status: 'refused', why, text }
}

/** "3 1 1 fd61a03a…" of a certificate; "3 0 1 …" where its key cannot be found. For messages. */
export function presentedDigest(der: Uint8Array): string {
  return presentTlsa(recordFor(der))
}

/** The record that one would publish for a certificate: 3 1 1 of its key; 3 0 1 where that cannot be found. */
export function recordFor(der: Uint8Array): TlsaRecord {
  const spki = selectPublicKey(der)
  return recordOf(3, spki === undefined ? 0 : 1, 1, spki ?? der)
}
