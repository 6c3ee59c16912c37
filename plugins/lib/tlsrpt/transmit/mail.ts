/**
 * The mail that carries a report (RFC 8460 §5.3). It is composed and signed piece by piece: a report may have 25 MB.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { dkimSign } from 'mailauth/lib/dkim/sign'
import MimeNode from 'nodemailer/lib/mime-node'
import type { OutgoingReport } from '../sending'
import { isoTime } from '../../time'
import { mediaTypes, tlsrptRecordName, reportFileName, reportHeaders } from '../format'
import type { SigningKey } from './keys'
import { reportInWords } from './words'

/** Whom reports are from. */
export interface Sender {
  readonly fromName: string
  readonly fromAddress: string
  readonly organization: string
  readonly contact: string
  readonly submitter: string
}

export interface MailOptions {
  readonly sender: Sender
  /** where it goes */
  readonly to: string
  /** at least one (R21) */
  readonly keys: readonly SigningKey[]
  /** of the Date field and the signatures: milliseconds since 1970 */
  readonly now: number
}

/** A mail that is ready to go, or why there is none. */
export type ComposedMail =
  { readonly ok: true; readonly read: () => Readable } | { readonly ok: false; readonly text: string }

/** R19: the fields by which a report is found belong to what is signed. */
const SIGNED = [
  'From',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'TLS-Report-Domain',
  'TLS-Report-Submitter',
  'TLS-Required',
  'Auto-Submitted',
] as const

/**
 * Composes and signs a mail. The same report gives the same mail, but for its date.
 *
 * @returns the mail, which may be read more than once: US-ASCII, with CRLF, lines that begin with a dot as they are
 */
export async function composeMail(report: OutgoingReport, options: MailOptions): Promise<ComposedMail> {
  const text = textForPeople(report, options.sender)
  const message = (): Readable => mimeTree(report, options, text).createReadStream()
  const signatureData = options.keys.map(signatureWith)
  const [first] = signatureData
  if (first === undefined) return { ok: false, text: 'there is no key to sign with' }
  const { signatures, errors } = await dkimSign(message(), {
    ...first, // its declaration asks for one beside the list
    signatureData,
    headerList: SIGNED.join(':'),
    signTime: new Date(options.now),
    strict: true,
  })
  const [failed] = errors
  if (failed !== undefined)
    return { ok: false, text: `cannot be signed with ${failed.selector ?? 'a key'}: ${failed.err.message}` }
  return { ok: true, read: () => Readable.from(chain(signatures, message()), { objectMode: false }) }
}

function signatureWith({ domain, selector, privateKey }: SigningKey) {
  return { signingDomain: domain, selector, privateKey, canonicalization: 'relaxed/relaxed' }
}

async function* chain(first: string, rest: Readable): AsyncGenerator<string | Buffer> {
  yield first
  yield* rest as AsyncIterable<Buffer>
}

const PIECE = 57 * 1024 // whole lines of base64

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += PIECE) yield bytes.subarray(from, from + PIECE)
}

/** R18: for people first, then for machines. */
function mimeTree(report: OutgoingReport, { sender, to, now }: MailOptions, text: string): MimeNode {
  const parties = { submitter: sender.submitter, policyDomain: report.domain }
  const unique = createHash('sha256').update(`${report.reportId} ${to}`).digest('hex').slice(0, 24)
  const root = new MimeNode(`${mediaTypes.mail}; boundary="tlsrpt-${unique}"`, {
    disableFileAccess: true,
    disableUrlAccess: true,
    normalizeHeaderKey: (name) => SIGNED.find((known) => known.toLowerCase() === name.toLowerCase()) ?? name,
  })
  root.setHeader('From', { name: sender.fromName, address: sender.fromAddress })
  root.setHeader('To', { address: to })
  for (const [name, value] of Object.entries(reportHeaders(parties, report.reportId))) root.setHeader(name, value)
  root.setHeader('TLS-Required', 'No') // R22, for those who carry it on
  root.setHeader('Auto-Submitted', 'auto-generated') // RFC 3834: no automatic answer
  root.setHeader('Date', new Date(now))
  root.setHeader('Message-ID', `<${unique}.${report.reportId.replace(/@.*/, '')}@${sender.submitter}>`)

  root.createChild('text/plain; charset=utf-8').setContent(text)
  const name = reportFileName(parties, report.period, uniquePartOf(report.reportId))
  root
    .createChild(mediaTypes.gzip)
    .setHeader('Content-Transfer-Encoding', 'base64')
    // not cut into filename*0 and filename*1, which readers of reports need not know
    .setHeader('Content-Disposition', { prepared: true, value: `attachment;\r\n filename="${name}"` })
    .setContent(Readable.from(pieces(report.frozen), { objectMode: false }))
  return root
}

/** The part of a report id that makes it unique, where it has one that can be part of a file name (R16). */
function uniquePartOf(reportId: string): string | undefined {
  return /^[^@]*?([A-Za-z0-9]{1,64})@/.exec(reportId)?.[1]
}

function textForPeople({ domain, period, reportId, frozen }: OutgoingReport, sender: Sender): string {
  const from = isoTime(period.start)
  const to = isoTime(period.end - 1000)
  const words = reportInWords(frozen)
  return [
    `This is an aggregate TLS report (RFC 8460) about mail to ${domain}.`,
    '',
    `Sent by: ${sender.organization}`,
    `Contact: ${sender.contact}`,
    `Period: ${from} to ${to}`,
    `Report-ID: ${reportId}`,
    '',
    ...(words.length === 0 ? [] : [...words, '']),
    'The report says how TLS with the mail hosts of this domain went. The file in the',
    'attachment is for programs: JSON, compressed with gzip. Reports come here',
    'because of the TXT record at',
    `  ${tlsrptRecordName(domain)}`,
    '',
  ].join('\r\n')
}
