/**
 * A piece of JSON that is put together of the chunks it came in, up to a limit.
 *
 * @module
 */

import { isUtf8 } from 'node:buffer'
import { refuse } from './refusal'

export interface Sink {
  /** bytes */
  readonly length: number
  /** how many ":" outside of strings it has: as many as its objects have members */
  colons: number
  add(bytes: Uint8Array): void
  /** Whether an array that is the value of this member has just been opened. */
  opensArrayOf(key: string): boolean
  /** Its text; the sink is empty then. */
  take(): SunkText
}

export interface SunkText {
  readonly text: string
  readonly colons: number
  /** false: what was no UTF-8 is U+FFFD now */
  readonly isUtf8: boolean
}

const FIRST_SIZE = 4096
const [SPACE, QUOTE, COLON, OPEN, BACKSLASH] = [0x20, 0x22, 0x3a, 0x5b, 0x5c] as const

/** @param most - bytes; what is larger is refused as `element-too-large` */
export function createSink(what: string, most: number): Sink {
  let buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  let length = 0

  const grow = (needed: number): void => {
    if (needed > most) refuse('element-too-large', `${what} of more than ${most} bytes`)
    const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(needed, buffer.length * 2)))
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }

  const sink = {
    get length() {
      return length
    },
    colons: 0,
    add: (bytes: Uint8Array): void => {
      if (length + bytes.length > buffer.length) grow(length + bytes.length)
      buffer.set(bytes, length)
      length += bytes.length
    },
    opensArrayOf: (key: string): boolean => endsWithKey(buffer.subarray(0, length), key),
    take: (): SunkText => {
      const bytes = buffer.subarray(0, length)
      const taken = { text: bytes.toString('utf8'), colons: sink.colons, isUtf8: isUtf8(bytes) }
      length = 0
      sink.colons = 0
      return taken
    },
  }
  return sink
}

/** Whether the bytes end in `"key": [`. A key that is written with escapes is not recognised. */
function endsWithKey(bytes: Buffer, key: string): boolean {
  let at = bytes.length - 1
  if (bytes[at] !== OPEN) return false
  at = beforeSpace(bytes, at - 1)
  if (bytes[at] !== COLON) return false
  at = beforeSpace(bytes, at - 1)
  const start = at - key.length - 1
  if (bytes[at] !== QUOTE || bytes[start] !== QUOTE || bytes[start - 1] === BACKSLASH) return false
  return bytes.toString('latin1', start + 1, at) === key
}

/** JSON has no other octets up to the space than its white space. */
function beforeSpace(bytes: Buffer, at: number): number {
  while (at > 0 && (bytes[at] ?? 0) <= SPACE) at--
  return at
}
