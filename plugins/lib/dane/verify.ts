/**
 * Whether the certificates that a server presented are those that its TLSA records promise (RFC 7672 §3, RFC 7671 §5).
 *
 * @module
 */

import { findExcess, newBudget, spend, type Budget } from './budget'
import {
  readPathCertificate,
  readPublicKey,
  selectPublicKey,
  type Certificate,
  type CertificateProblem,
  type PublicKey,
} from './certificate'
import { countElements } from './der'
import { isHostName, lowerCase, matchName, wildcardHint } from './name'
import { findPaths, type Anchors } from './path'
import { indexRecords, keyOf, withStrongestDigests, type TlsaRecord } from './record'
import { describe, refuse, refuseAll, select, type DaneRefusal } from './refusal'
import { findShortRsa } from './strength'
import { findFlaw, type Flaw } from './validate'

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

/** What to verify: certificates in DER, the server's own first, and the DANE-TA records that count. */
interface Task {
  readonly presented: readonly [Uint8Array, ...Uint8Array[]]
  readonly records: readonly TlsaRecord[]
  readonly names: readonly string[]
  readonly now: Date
  readonly budget: Budget
}

/** No honest server presents more. */
const maxCertificates = 32

/**
 * Verifies a server's certificates by its usable TLSA records. Digest agility is applied here (K11).
 *
 * DANE-EE comes first, and asks for neither names nor dates (D37). DANE-TA asks for a path to the trust anchor, for dates
 * and for a name; of several refusals the one of the path that came furthest is told. Where that takes more work than a
 * mail server has for it, nothing is trusted. Never throws.
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
  if (ofLeaf !== undefined) return judgeDaneEe(leaf, ofLeaf)
  const task = { presented: [leaf, ...others], records: daneTa, names, now, budget: newBudget() } as const
  return verifyByAnchors(task) ?? refuseAll(usable, records, [leaf, ...others])
}

function judgeDaneEe(leaf: Uint8Array, record: TlsaRecord): DaneResult {
  const short = findShortRsa(selectPublicKey(leaf) ?? leaf)
  if (short === undefined) return { status: 'matched', record, depth: 0 }
  return refuse('certificate-not-trusted', describe(`its certificate cannot be used, ${short}`, record, leaf))
}

/** @returns undefined where no DANE-TA record matches anything */
function verifyByAnchors(task: Task): DaneResult | undefined {
  const [leafDer, ...issuers] = task.presented
  const find = indexRecords(task.records)
  const matching = issuers.map((der) => find(select(der))).find((record) => record !== undefined)
  const record = matching ?? task.records.find(({ matchingType }) => matchingType === 0)
  if (record === undefined) return undefined // no path can lead anywhere

  const leaf = readWithin(task.budget, leafDer)
  const result = 'problem' in leaf ? refuseUnusable(task, leaf, matching) : search(task, leaf, matching)
  const excess = findExcess(task.budget)
  if (result?.status === 'matched' || excess === undefined) return result
  return refuse('certificate-not-trusted', describe(`it takes too long to verify, ${excess}`, record, leafDer))
}

function readWithin(budget: Budget, der: Uint8Array): Certificate | CertificateProblem {
  return spend(budget, 'elements', countElements(der)) ? readPathCertificate(der) : { problem: 'too much to decode' }
}

function refuseUnusable(
  { presented }: Task,
  { problem }: CertificateProblem,
  record?: TlsaRecord,
): DaneRefusal | undefined {
  const text = `its certificate cannot be used, ${problem}`
  return record && refuse('certificate-not-trusted', describe(text, record, presented[0]))
}

/** @param matching - a record that matches an issuer that was presented, though perhaps only stapled */
function search(task: Task, leaf: Certificate, matching: TlsaRecord | undefined): DaneResult | undefined {
  const { presented, records, names, now, budget } = task
  const issuers = readIssuers(task)
  const keys = readAnchorKeys(task)
  const usable = issuers.filter(isUsable)
  const find = indexRecords(records)
  const ofIssuers = new Map(usable.map((issuer) => [issuer, find([issuer.der, issuer.spki])]))
  const anchors: Anchors = { find: (issuer) => ofIssuers.get(issuer), keys: keys.filter(isUsable) }

  const dnsNames = leaf.extensions.alternativeNames.flatMap(({ host }) => host ?? [])
  const name = names.find((one) => matchName(dnsNames, leaf.subject.commonNames, one))
  const mismatch =
    name === undefined ? mismatchOf(dnsNames.length > 0 ? dnsNames : leaf.subject.commonNames, names) : undefined
  let furthest: { readonly flaw: Flaw; readonly record: TlsaRecord } | undefined
  for (const path of findPaths(leaf, usable, anchors, budget)) {
    const { record, depth } = path
    const flaw = findFlaw(path, now, budget) ?? mismatch
    if (flaw === undefined) return { status: 'matched', record, depth, ...(name !== undefined && { name }) }
    if (furthest === undefined || rank(flaw) > rank(furthest.flaw)) furthest = { flaw, record }
    if (findExcess(budget) !== undefined) return undefined
  }
  if (furthest !== undefined)
    return refuse(furthest.flaw.why, describe(furthest.flaw.text, furthest.record, presented[0]))

  const unusable = [...issuers, ...keys].find((one) => 'problem' in one)
  const hint = unusable === undefined ? '' : `; one issuer cannot be used, ${unusable.problem}`
  const record = matching ?? keys.find((one) => 'problem' in one)?.record
  const text = `its certificate was not issued by what this record matches${hint}`
  return record && refuse('certificate-not-trusted', describe(text, record, presented[0]))
}

/** One detail is reported, in this order; a later one means that the path was better. */
function rank({ why }: Flaw): number {
  return ['certificate-not-trusted', 'certificate-expired', 'certificate-host-mismatch'].indexOf(why)
}

/** All that may stand above the server's certificate, each once: what was presented, and what DNS holds in full (K8). */
function readIssuers({
  presented: [, ...presented],
  records,
  budget,
}: Task): readonly (Certificate | CertificateProblem)[] {
  const inDns = records.filter(({ selector, matchingType }) => selector === 0 && matchingType === 0)
  const all = [...presented, ...inDns.slice(0, maxCertificates).map(({ data }) => data)]
  const unique = new Map(all.map((der) => [keyOf(der), der]))
  return [...unique.values()].map((der) => readWithin(budget, der))
}

function isUsable<Read extends object>(read: Read | CertificateProblem): read is Exclude<Read, CertificateProblem> {
  return !('problem' in read)
}

/** A key from DNS is an anchor of its own only where nothing that was presented has it (K9). */
function readAnchorKeys({
  presented,
  records,
}: Task): readonly ((PublicKey | CertificateProblem) & { record: TlsaRecord })[] {
  const inDns = records.filter(({ selector, matchingType }) => selector === 1 && matchingType === 0)
  const presentedKeys = new Set(presented.map((der) => keyOf(selectPublicKey(der) ?? der)))
  return inDns
    .filter(({ data }) => !presentedKeys.has(keyOf(data)))
    .slice(0, maxCertificates)
    .map((record) => ({ ...readPublicKey(record.data), record }))
}

function mismatchOf(held: readonly string[], names: readonly string[]): Flaw {
  const text = `its certificate is for ${listNames(held)}, not for ${names.join(' or ')}${wildcardHint(held, names)}`
  return { why: 'certificate-host-mismatch', text }
}

/** Names as they may be shown: the first few that are host names. */
function listNames(names: readonly string[]): string {
  const shown = names
    .slice(0, 100)
    .map(lowerCase)
    .filter((name) => isHostName(name.replace(/^\*\./, '')))
    .slice(0, 4)
  if (shown.length === 0) return 'no host name'
  const more = names.length - shown.length
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`
}
