/**
 * TLSA records: which of them an SMTP client can use, which of those count, and how they are written
 * (RFC 6698 §2 and §4.1, RFC 7671 §9, RFC 7672 §3.1).
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { TlsaData } from '../dns'
import { decodeCertificate, decodePublicKey } from './certificate'

export type TlsaRecord = TlsaData

/** A record that authenticates no certificate, but still says that its host does TLS (D14, D35). */
export interface UnusableRecord {
  readonly record: TlsaRecord
  /** for people: "usage 1 (PKIX-EE) is not for SMTP", "SHA2-256 digest of 20 octets" */
  readonly why: string
}

const usageNames = ['PKIX-TA', 'PKIX-EE', 'DANE-TA', 'DANE-EE']
const digests = new Map([
  [1, { name: 'sha256', title: 'SHA2-256', octets: 32 }],
  [2, { name: 'sha512', title: 'SHA2-512', octets: 64 }],
])

/** Full certificates and keys to decode of one RRset: no honest domain publishes more, and an answer may hold a thousand. */
const maxDecoded = 32

/** Parts the records of a secure RRset; each is judged by itself, so that a bad one never spoils the others. */
export function sortRecords(records: readonly TlsaRecord[]): {
  usable: readonly TlsaRecord[]
  unusable: readonly UnusableRecord[]
} {
  let decoded = 0
  const judged = records.map((record) => {
    // beyond the limit a full record counts as usable: a host is not to be rid of authentication by publishing too many
    const mayDecode = record.matchingType !== 0 || decoded++ < maxDecoded
    return { record, why: whyUnusable(record, mayDecode) }
  })
  return {
    usable: judged.filter(({ why }) => why === undefined).map(({ record }) => record),
    unusable: judged.flatMap(({ record, why }) => (why === undefined ? [] : [{ record, why }])),
  }
}

/** What makes a record unusable (D39, K1, K14). */
function whyUnusable(record: TlsaRecord, mayDecode: boolean): string | undefined {
  const { usage, selector, matchingType, data } = record
  if (isTooShort(record)) return 'it is too short to have its three octets'
  if (usage === 0 || usage === 1) return `usage ${usage} (${usageName(usage)}) is not for SMTP` // RFC 7672 §3.1.3
  if (usage !== 2 && usage !== 3) return `usage ${usage} is unknown`
  if (selector !== 0 && selector !== 1) return `selector ${selector} is unknown`
  if (data.length === 0) return 'no data'
  if (matchingType === 0) return mayDecode ? whyUnreadable(selector, data) : undefined

  const digest = digests.get(matchingType)
  if (digest === undefined) return `matching type ${matchingType} is unknown`
  if (data.length !== digest.octets) return `${digest.title} digest of ${data.length} octets`
  return undefined
}

/** The resolver gives 255, which stands for nothing, for each octet that is missing. */
function isTooShort({ matchingType, data }: TlsaRecord): boolean {
  return matchingType === 255 && data.length === 0
}

/** Whether it can be in a path is another matter: to call it unusable would mean to do without authentication. */
function whyUnreadable(selector: number, data: Uint8Array): string | undefined {
  const read = selector === 0 ? decodeCertificate(data) : decodePublicKey(data)
  if (!('problem' in read)) return undefined
  return `not a ${selector === 0 ? 'certificate' : 'public key'}: ${read.problem}`
}

/**
 * The records that count: for each usage and selector the full ones, and those with the strongest digest there is
 * (K11, D45: RFC 7671 §9). To be applied to usable records only: a malformed strong digest must not displace a good weak one.
 */
export function withStrongestDigests(usable: readonly TlsaRecord[]): readonly TlsaRecord[] {
  const strongest = new Map<string, number>()
  for (const record of usable) {
    const kind = `${record.usage} ${record.selector}`
    strongest.set(kind, Math.max(record.matchingType, strongest.get(kind) ?? 0)) // 2 (SHA2-512) before 1 (SHA2-256)
  }
  return usable.filter(
    ({ usage, selector, matchingType }) => matchingType === 0 || matchingType === strongest.get(`${usage} ${selector}`),
  )
}

/** Selector 0: the whole certificate, DER; 1: its public key, undefined where it cannot be found. */
export type Selected = readonly [certificate: Uint8Array, publicKey: Uint8Array | undefined]

/**
 * Makes a search for the record that a certificate matches. What it costs depends on the certificate alone: a domain
 * might publish a thousand records, and present as many certificates as fit.
 */
export function indexRecords(records: readonly TlsaRecord[]): (selected: Selected) => TlsaRecord | undefined {
  const kinds = new Map<string, { selector: number; matchingType: number; byData: Map<string, TlsaRecord> }>()
  for (const record of records) {
    const { selector, matchingType, data } = record
    const kind = kinds.get(`${selector} ${matchingType}`) ?? { selector, matchingType, byData: new Map() }
    kinds.set(`${selector} ${matchingType}`, kind)
    if (!kind.byData.has(keyOf(data))) kind.byData.set(keyOf(data), record)
  }
  return (selected) => {
    for (const { selector, matchingType, byData } of kinds.values()) {
      const content = selected[selector]
      const record = content && byData.get(keyOf(associationData(matchingType, content)))
      if (record !== undefined) return record
    }
    return undefined
  }
}

/** Octets as the key of a map. */
export const keyOf = (data: Uint8Array): string => Buffer.from(data).toString('base64')

function associationData(matchingType: number, selected: Uint8Array): Uint8Array {
  const digest = digests.get(matchingType)
  return digest === undefined ? selected : createHash(digest.name).update(selected).digest()
}

/** The record that one would publish for a certificate or key with these parameters. */
export function recordOf(usage: number, selector: number, matchingType: number, selected: Uint8Array): TlsaRecord {
  return { usage, selector, matchingType, data: associationData(matchingType, selected) }
}

/** Whether two RRsets hold the same records, in whatever order. */
export function sameRecords(one: readonly TlsaRecord[], other: readonly TlsaRecord[]): boolean {
  const list = (records: readonly TlsaRecord[]): string => records.map(formatTlsa).sort().join()
  return list(one) === list(other)
}

/** "DANE-EE" (RFC 7218 §2.1). */
export function usageName(usage: number): string {
  return usageNames[usage] ?? `usage ${usage}`
}

/** "3 1 1 9f86d081…": for people. */
export function presentTlsa(record: TlsaRecord, octets = 4): string {
  if (isTooShort(record)) return genericForm(record)
  const start = Buffer.from(record.data.subarray(0, octets)).toString('hex')
  return `${parameters(record)} ${start}${record.data.length > octets ? '…' : ''}`
}

/** Records that are to be compared, each with as many octets as tell it from the others. */
export function presentAll(records: readonly TlsaRecord[]): readonly string[] {
  const different = new Set(records.map(formatTlsa)).size
  const present = (octets: number) => records.map((record) => presentTlsa(record, octets))
  return [4, 8, 16, 32].map(present).find((texts) => new Set(texts).size === different) ?? present(64)
}

/** "3 1 1 9F86D081884C…", whole: as a report's policy-string has it (R13: RFC 8460 §4.5). */
export function formatTlsa(record: TlsaRecord): string {
  if (isTooShort(record)) return genericForm(record)
  return `${parameters(record)} ${Buffer.from(record.data).toString('hex').toUpperCase()}`
}

/** "\\# 2 0301": the octets that there are (RFC 3597 §5). */
function genericForm({ usage, selector }: TlsaRecord): string {
  const octets = Buffer.from([usage, selector].filter((octet) => octet !== 255))
  return `\\# ${octets.length} ${octets.toString('hex')}`.trimEnd()
}

function parameters({ usage, selector, matchingType }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType}`
}
