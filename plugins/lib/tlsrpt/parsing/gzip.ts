/**
 * gzip, member by member (RFC 1952). Node's own reader loses what it has decompressed when something else follows behind the end, as it
 * does in mail: the tail of a signature, a line end, zeroes.
 *
 * zlib works in its own threads, a chunk at a time: a caller that counts the chunks notices a bomb.
 *
 * @module
 */

import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import { createInput, type Input } from './input'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'

const CHUNK = 64 * 1024
const FIXED_HEADER = 10
const TRAILER = 8
/** RFC 1952 §2.3.1: what else is in the header. */
const [HEADER_CRC, EXTRA, NAME, COMMENT, RESERVED] = [0x02, 0x04, 0x08, 0x10, 0xe0] as const
const LONGEST_NAME = 4096
/** Each takes its time, also where it is empty. */
const MOST_MEMBERS = 1000

/** Whether bytes begin as gzip does. */
export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}

/**
 * Decompresses all members.
 *
 * @throws RefusedError `malformed-gzip`, from the generator
 */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  notes: ReportNotes,
): AsyncGenerator<Buffer, void, undefined> {
  const input = createInput(source)
  try {
    let members = 0
    do {
      if (++members > MOST_MEMBERS) refuse('malformed-gzip', `more than ${MOST_MEMBERS} members`)
      yield* member(input)
    } while (isGzip(await input.peek(2)))
    if ((await input.peek(1)).length > 0) notes.add('trailing-data', 'more data behind the end of the gzip')
  } finally {
    input.stop()
  }
}

async function* member(input: Input): AsyncGenerator<Buffer, void, undefined> {
  await skipHeader(input)
  let sum = 0
  let size = 0
  for await (const chunk of inflate(input)) {
    sum = crc32(chunk, sum)
    size = (size + chunk.length) % 2 ** 32
    yield chunk
  }
  const trailer = await input.take(TRAILER)
  if (trailer.length < TRAILER) refuse('malformed-gzip', 'gzip that ends before its end')
  if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== size)
    refuse('malformed-gzip', 'gzip with a wrong checksum')
}

async function skipHeader(input: Input): Promise<void> {
  const fixed = await input.take(FIXED_HEADER)
  const flags = fixed[3] ?? 0
  if (fixed.length < FIXED_HEADER || fixed[2] !== 8 || (flags & RESERVED) !== 0)
    refuse('malformed-gzip', 'a header that is not of gzip')
  if ((flags & EXTRA) !== 0) {
    const [low = 0, high = 0] = await input.take(2)
    await input.take(high * 256 + low)
  }
  if ((flags & NAME) !== 0) await skipText(input)
  if ((flags & COMMENT) !== 0) await skipText(input)
  if ((flags & HEADER_CRC) !== 0) await input.take(2)
}

async function skipText(input: Input): Promise<void> {
  for (let skipped = 0; skipped < LONGEST_NAME; skipped++) {
    const [byte] = await input.take(1)
    if (byte === 0 || byte === undefined) return
  }
  refuse('malformed-gzip', 'a name without an end')
}

/** One stream of deflated data; what is behind it is in the input again. */
async function* inflate(input: Input): AsyncGenerator<Buffer, void, undefined> {
  const inflater = createInflateRaw({ chunkSize: CHUNK })
  const feeding = feed(input, inflater)
  feeding.catch(() => undefined) // where decompressing fails, this result is not used
  try {
    for await (const chunk of inflater) yield chunk as Buffer
  } catch (error) {
    if (!isZlibError(error)) throw error
    refuse('malformed-gzip', error.code === 'Z_BUF_ERROR' ? 'gzip that ends before its end' : 'damaged gzip')
  } finally {
    inflater.destroy()
  }
  input.giveBack(await feeding)
}

/** @returns what came with the end of the data, and is behind it */
async function feed(input: Input, inflater: InflateRaw): Promise<Buffer> {
  for (let before = 0; ;) {
    const chunk = await input.next()
    if (chunk === undefined) break
    await new Promise<void>((resolve) => inflater.write(chunk, () => resolve()))
    const taken = inflater.bytesWritten - before
    if (taken < chunk.length) return chunk.subarray(taken)
    before += taken
  }
  inflater.end()
  return Buffer.alloc(0)
}

function isZlibError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}
