/**
 * Messages as they come, for those that are looked into: the very bytes that the client sent, whatever other plugins make of header and
 * body afterwards, for these bytes are what was signed.
 *
 * Haraka's own stream of the message would be the place for them, but it has the header as plugins have left it, serves one reader at
 * a time, and hands on a large message in one go, with everything else waiting.
 *
 * @module
 */

import type { Transaction } from '../runtime/haraka'

/** A message, or why there is none: too large for one with reports in it, or too much together with the others. */
export interface Captured {
  readonly state: 'whole' | 'too-large' | 'no-room'
  /** to be emptied by its reader */
  readonly blocks: Buffer[]
}

export interface Captures {
  /** Keeps what comes of the message from now on, but for the dots that were added to its lines (RFC 5321 §4.5.2). */
  begin(transaction: Transaction, limits: CaptureLimits): void
  /** What has been kept, once; undefined: it has not been begun. Its memory counts until `release`. */
  take(transaction: Transaction): Captured | undefined
  /** Forgets it. */
  release(transaction: Transaction): void
}

/** In bytes. */
export interface CaptureLimits {
  /** of one message */
  readonly message: number
  /** of all messages of this process together */
  readonly together: number
}

const BLOCK = 16 * 1024
const DOT = 0x2e

interface Capture {
  state: Captured['state']
  readonly blocks: Buffer[]
  /** bytes of the last block that are in use */
  used: number
  /** bytes */
  size: number
  /** blocks that it has taken up */
  held: number
}

export function createCaptures(): Captures {
  const captures = new WeakMap<Transaction, Capture>()
  let held = 0 // blocks

  const drop = (capture: Capture, state: Captured['state']): void => {
    capture.state = state
    held -= capture.held
    capture.held = 0
    capture.blocks.length = 0
  }
  const add = (capture: Capture, line: Buffer, limits: CaptureLimits): void => {
    if (capture.state !== 'whole') return
    capture.size += line.length
    if (capture.size > limits.message) return drop(capture, 'too-large')
    for (let rest = line; rest.length > 0;) {
      let block = capture.blocks.at(-1)
      if (block === undefined || capture.used === BLOCK) {
        if ((held + 1) * BLOCK > limits.together) return drop(capture, 'no-room')
        block = Buffer.allocUnsafeSlow(BLOCK)
        capture.blocks.push(block)
        capture.used = 0
        capture.held++
        held++
      }
      const copied = rest.copy(block, capture.used)
      capture.used += copied
      rest = rest.subarray(copied)
    }
  }

  return {
    begin: (transaction, limits) => {
      const capture: Capture = { state: 'whole', blocks: [], used: 0, size: 0, held: 0 }
      captures.set(transaction, capture)
      const original = transaction.add_data.bind(transaction)
      transaction.add_data = (line) => {
        const bytes = typeof line === 'string' ? Buffer.from(line) : line
        add(capture, bytes[0] === DOT ? bytes.subarray(1) : bytes, limits)
        original(line)
      }
    },
    take: (transaction) => {
      const capture = captures.get(transaction)
      if (capture === undefined) return undefined
      const { state, used } = capture
      const blocks = capture.blocks.splice(0) // the reader's own: a client that goes away must not cut it
      const last = blocks.pop()
      if (last !== undefined) blocks.push(last.subarray(0, used))
      return { state, blocks }
    },
    release: (transaction) => {
      const capture = captures.get(transaction)
      if (capture !== undefined) drop(capture, 'no-room')
      captures.delete(transaction)
    },
  }
}
