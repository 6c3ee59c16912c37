/**
 * The reports in a message (RFC 8460 §5.3): in one part or several, as deep as they are, or the message as a whole. What a part is said
 * to be matters little (V7): whatever begins as gzip or as a JSON object is looked into.
 *
 * @module
 */

import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Splitter, type SplitterChunk } from '@zone-eu/mailsplit'
import { domainOf } from './fields'
import type { Note } from './notes'
import { readReport, type ReadingLimits, type ReportReading } from './read'
import type { Refusal } from './refusal'
import type { ReceivedReport } from './report'

export interface MessageReading {
  readonly reports: readonly FoundReport[]
  /** of parts that were meant to be reports; with reports beside them they concern the others */
  readonly refusals: readonly Refusal[]
}

export interface FoundReport {
  readonly report: ReceivedReport
  readonly notes: readonly Note[]
}

type MimeNode = Extract<SplitterChunk, { readonly type: 'node' }>

const MOST_PARTS = 200
const MOST_REPORTS = 50
const MOST_REFUSALS = 10
const LONGEST_HEADER = 64 * 1024
/** All parts of a message together, after decompression, as a multiple of what one report may have. */
const MOST_TOGETHER = 4

/** What has been found so far. */
interface Findings {
  readonly limits: ReadingLimits
  readonly reports: FoundReport[]
  readonly refusals: Refusal[]
  /** bytes that parts may still have after decompression */
  left: number
  /** whom the message says that its reports are about */
  about: string | undefined
}

/**
 * Finds and reads the reports in a message.
 *
 * @param source - the message as it came; what rejects there rejects here
 */
export async function readMessage(source: AsyncIterable<Uint8Array>, limits: ReadingLimits): Promise<MessageReading> {
  const left = limits.maxSize * MOST_TOGETHER
  const findings: Findings = { limits, reports: [], refusals: [], left, about: limits.about }
  const splitter = new Splitter({ maxChildNodes: MOST_PARTS, maxHeadSize: LONGEST_HEADER, ignoreEmbedded: true })
  const fed = pipeline(Readable.from(source, { objectMode: false }), splitter).catch(() => undefined)
  try {
    await readParts(splitter as AsyncIterable<SplitterChunk>, findings)
  } catch (error) {
    if (!isTooComplex(error)) throw error
    noteTooComplex(findings, `more than ${MOST_PARTS} parts, or too long a header`)
  } finally {
    splitter.destroy()
    await fed
  }
  return { reports: findings.reports, refusals: findings.refusals.slice(0, MOST_REFUSALS) }
}

async function readParts(chunks: AsyncIterable<SplitterChunk>, findings: Findings): Promise<void> {
  let part: Part | undefined
  try {
    for await (const chunk of chunks) {
      if (chunk.type === 'node') {
        await take(part, findings)
        if (chunk.root) findings.about ??= domainOf(valueOf(chunk, 'TLS-Report-Domain'))
        part = chunk.multipart === false ? beginPart(chunk, findings) : undefined
      } else if (chunk.type === 'body') await part?.write(chunk.value)
    }
  } finally {
    await take(part, findings)
  }
}

interface Part {
  /** whether its header says that it is, or could be, a report */
  readonly isDeclared: boolean
  write(bytes: Buffer): Promise<void>
  end(): Promise<ReportReading>
}

function beginPart(node: MimeNode, findings: Findings): Part | undefined {
  const { limits, about, left, reports } = findings
  if (reports.length >= MOST_REPORTS || left <= 0) {
    noteTooComplex(findings, `more than ${MOST_REPORTS} reports, or too much in them together`)
    return undefined
  }
  const decoder: Duplex = node.getDecoder()
  const reading = readReport(decoder, { ...limits, maxSize: Math.min(limits.maxSize, left), ...(about && { about }) })
  reading.catch(() => undefined) // asked for at the end of the part
  return {
    isDeclared: isDeclared(node),
    // done also where the decoder has been destroyed, since nothing reads on
    write: (bytes) => new Promise((resolve) => decoder.write(bytes, () => resolve())),
    end: () => {
      decoder.end()
      return reading
    },
  }
}

/** Once: what else there is has not been looked into. */
function noteTooComplex({ refusals }: Findings, text: string): void {
  if (!refusals.some(({ code }) => code === 'too-complex')) refusals.push({ code: 'too-complex', text })
}

async function take(part: Part | undefined, findings: Findings): Promise<void> {
  if (part === undefined) return
  const reading = await part.end()
  findings.left -= reading.bytes
  if (reading.ok) findings.reports.push({ report: reading.report, notes: reading.notes })
  else if (part.isDeclared && reading.refusal.code !== 'dmarc') findings.refusals.push(reading.refusal)
}

/** R18, and what is sent instead (V7). */
function isDeclared({ contentType, filename }: MimeNode): boolean {
  if (/^application\/(?:tlsrpt\b|(?:x-)?gzip$|json$)/.test(contentType || '')) return true
  return /\.(?:json|gz|gzip)$/i.test(filename || '')
}

function valueOf({ headers }: MimeNode, name: string): string {
  return headers === false ? '' : headers.getFirst(name)
}

function isTooComplex(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EMAXLEN'
}
