/**
 * From the bytes of a part, a file or a POST to those of a JSON text: gzip or not is seen by the content, whatever its type says (V7).
 *
 * @module
 */

import { gunzip, isGzip } from './gzip'
import { createInput, type Input } from './input'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'

/** What bytes begin as. */
export type ContentKind = 'gzip' | 'json' | 'xml' | 'zip' | 'other'

/** Enough to see a byte order mark and what is behind it. White space beyond that is no report's. */
export const ENOUGH_TO_SEE = 64

/** Whether bytes begin as gzip or zip, or as a JSON object or XML behind a byte order mark and white space. */
export function kindOf(start: Uint8Array): ContentKind {
  if (isGzip(start)) return 'gzip'
  const text = Buffer.from(start).toString('latin1')
  if (text.startsWith('PK\x03\x04')) return 'zip'
  const [, first] = /^(?:\xef\xbb\xbf)?[ \t\r\n]*(\{|<\?xml|<feedback)/.exec(text) ?? []
  if (first === undefined) return 'other'
  return first === '{' ? 'json' : 'xml'
}

function refuseDmarc(kind: ContentKind): void {
  if (kind === 'xml' || kind === 'zip') refuse('dmarc', `${kind}: a DMARC report, no TLS report`)
}

/** How far reading a report has come. */
export interface Progress {
  /** bytes after decompression */
  bytes: number
}

/**
 * The JSON text of a report, from its first bracket on.
 *
 * @param most - bytes after decompression
 * @throws RefusedError: `not-a-report`, `malformed-gzip`, `nested-gzip`, `too-large`
 */
export async function* jsonTextOf(
  source: AsyncIterable<Uint8Array>,
  most: number,
  notes: ReportNotes,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, undefined> {
  const raw = createInput(source)
  try {
    const kind = kindOf(await raw.peek(ENOUGH_TO_SEE))
    refuseDmarc(kind)
    if (kind === 'other') refuse('not-a-report', 'neither gzip nor a JSON object')
    yield* fromFirstBracket(
      createInput(limited(kind === 'gzip' ? gunzip(raw.rest(), notes) : raw.rest(), most, progress)),
      notes,
    )
  } finally {
    raw.stop()
  }
}

async function* fromFirstBracket(text: Input, notes: ReportNotes): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const start = await text.peek(ENOUGH_TO_SEE)
    const kind = kindOf(start)
    if (kind === 'gzip') refuse('nested-gzip', 'gzip inside gzip')
    refuseDmarc(kind)
    if (kind === 'other') refuse('not-a-report', start.length === 0 ? 'empty' : 'not a JSON object')
    if (start[0] === 0xef) notes.add('byte-order-mark', 'a byte order mark before the report')
    await text.take(start.indexOf('{'))
    yield* text.rest()
  } finally {
    text.stop()
  }
}

async function* limited(
  source: AsyncIterable<Uint8Array>,
  most: number,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    progress.bytes += chunk.length
    if (progress.bytes > most) refuse('too-large', `more than ${most} bytes`)
    yield chunk
  }
}
