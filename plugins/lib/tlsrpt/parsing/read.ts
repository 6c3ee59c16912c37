/**
 * From bytes to a report, or to why they are none. A report of any size takes little memory, and no more than a few milliseconds at
 * a time (RFC 8460 §7, V6).
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { mailboxDomainOf, readAddress } from '../format'
import { jsonTextOf, type Progress } from './content'
import { readDateRange } from './dates'
import { createDetails } from './details'
import { domainOf, isObject, listOf, textOf, type JsonObject } from './fields'
import { createNotes, type Note, type ReportNotes } from './notes'
import { createTextBudget, isPolicy, readPolicy } from './policy'
import { refuse, RefusedError, type Refusal } from './refusal'
import type { ReceivedPolicy, ReceivedReport } from './report'
import { createScanner, type Scanner } from './scan'

export interface ReadingLimits {
  /** bytes of a report after decompression */
  readonly maxSize: number
  /** milliseconds since 1970: no report is about what comes later */
  readonly now: number
  /** the domain that a policy is about where the report does not say, as Postfix' tlsrpt does not for no-policy-found */
  readonly about?: string
}

export type ReportReading =
  | { readonly ok: true; readonly report: ReceivedReport; readonly notes: readonly Note[]; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal; readonly bytes: number }

/** What is looked at before others have their turn. */
const PIECE = 16 * 1024
const LONGEST_TEXT = 255

/**
 * Reads one report: JSON, or JSON in gzip, whatever it is said to be.
 *
 * @param source - what rejects there rejects here
 */
export async function readReport(source: AsyncIterable<Uint8Array>, limits: ReadingLimits): Promise<ReportReading> {
  const progress = { bytes: 0 }
  try {
    const notes = createNotes()
    const report = await read(source, limits, notes, progress)
    return { ok: true, report, notes: notes.all(), bytes: progress.bytes }
  } catch (error) {
    if (error instanceof RefusedError) return { ok: false, refusal: error.refusal, bytes: progress.bytes }
    throw error
  }
}

async function read(
  source: AsyncIterable<Uint8Array>,
  limits: ReadingLimits,
  notes: ReportNotes,
  progress: Progress,
): Promise<ReceivedReport> {
  const details = createDetails(notes)
  const budget = createTextBudget()
  const policies: ReceivedPolicy[] = []
  const takePolicy = (value: unknown): void => {
    if (isPolicy(value, notes)) policies.push(readPolicy(value, details, budget, notes))
  }
  const scanner = createScanner({ details: (values) => details.add(values), policy: takePolicy }, notes)
  await scanAll(jsonTextOf(source, limits.maxSize, notes, progress), scanner, notes)

  const report = scanner.finish()
  if (!isObject(report)) return refuse('not-a-report', 'not a JSON object')
  takeTheRest(report, policies.length, takePolicy, notes)
  return finish(report, policies, limits, notes)
}

async function scanAll(text: AsyncIterable<Uint8Array>, scanner: Scanner, notes: ReportNotes): Promise<void> {
  let sinceLastTurn = 0
  try {
    for await (const piece of piecesOf(text)) {
      const end = scanner.isComplete() ? 0 : scanner.scan(piece)
      if (scanner.isComplete() && hasMore(piece.subarray(end))) {
        notes.add('trailing-data', 'more data behind the end of the report')
        return
      }
      sinceLastTurn += piece.length
      if (sinceLastTurn < PIECE) continue
      sinceLastTurn = 0
      await nextTurn()
    }
  } catch (error) {
    // what is wrong behind the end takes nothing from the report
    const isBehind = scanner.isComplete() && error instanceof RefusedError && error.refusal.code === 'malformed-gzip'
    if (!isBehind) throw error
    notes.add('trailing-data', error.refusal.text)
  }
}

async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { buffer, byteOffset, length } of chunks)
    for (let start = 0; start < length; start += PIECE)
      yield Buffer.from(buffer, byteOffset + start, Math.min(PIECE, length - start))
}

/** Anything but white space. */
function hasMore(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)
}

/** Policies that did not come one by one: what is in their place is no list, or they are called so in a way that only a parser sees. */
function takeTheRest(report: JsonObject, taken: number, take: (value: unknown) => void, notes: ReportNotes): void {
  if (!('policies' in report)) refuse('not-a-report', 'no policies')
  const all = listOf(report.policies, 'policies', notes)
  if (taken === 0) all.forEach(take)
  else all.forEach((value) => isPolicy(value, notes))
}

function finish(
  report: JsonObject,
  policies: readonly ReceivedPolicy[],
  { now, about }: ReadingLimits,
  notes: ReportNotes,
): ReceivedReport {
  const range = readDateRange(report['date-range'], now, notes)
  const hasInvalidDomain = notes.all().some(({ code }) => code === 'policy-domain-invalid')
  const domain = about ?? (hasInvalidDomain ? undefined : (onlyDomainOf(policies) ?? domainInId(report['report-id'])))
  const named = policies.map((policy) => withDomain(policy, domain))
  if (policies.length === 0) notes.add('policies-empty', 'a report without policies')
  const organization = textOf(report['organization-name'], 'organization-name', LONGEST_TEXT, notes)
  if (organization === undefined) notes.add('organization-missing', 'no organization-name')
  const read = {
    organization: organization ?? '',
    ...readContact(report['contact-info'], notes),
    ...range,
    policies: named,
  }
  return { ...read, reportId: readId(report['report-id'], read, notes) }
}

function withDomain(policy: ReceivedPolicy, domain: string | undefined): ReceivedPolicy {
  return policy.domain === undefined && domain !== undefined ? { ...policy, domain } : policy
}

/** A report is about one recipient domain (RFC 8460 §4): where its other policies name one domain only, it is that. */
function onlyDomainOf(policies: readonly ReceivedPolicy[]): string | undefined {
  const domains = new Set(
    policies.flatMap(({ type, domain }) => (domain === undefined || type === 'tlsa' ? [] : [domain])),
  )
  return domains.size === 1 ? [...domains][0] : undefined
}

/** Postfix' tlsrpt writes the domain into the id, where it names it nowhere else. */
function domainInId(id: unknown): string | undefined {
  const domain = typeof id === 'string' ? /_idx\d{1,9}_([^_]{1,255})$/.exec(id)?.[1] : undefined
  return domain === undefined ? undefined : domainOf(domain)
}

function readContact(value: unknown, notes: ReportNotes): Pick<ReceivedReport, 'contact' | 'contactDomain'> {
  const contact = textOf(value, 'contact-info', LONGEST_TEXT, notes)
  if (contact === undefined) {
    notes.add('contact-missing', 'no contact-info')
    return { contact: undefined, contactDomain: undefined }
  }
  const address = readAddress(contact.replace(/^mailto:/i, ''))
  if (address === undefined) notes.add('contact-invalid', 'contact-info is no mail address')
  return { contact, contactDomain: address === undefined ? undefined : mailboxDomainOf(address) }
}

/** A report without an id has one that it has in common with its own repetitions only. */
function readId(value: unknown, report: Omit<ReceivedReport, 'reportId'>, notes: ReportNotes): string {
  const id = textOf(value, 'report-id', LONGEST_TEXT, notes)
  if (id !== undefined) return id
  notes.add('report-id-missing', 'no report-id: a digest of the report stands for it')
  return `sha256-${createHash('sha256').update(JSON.stringify(report)).digest('base64url')}`
}
