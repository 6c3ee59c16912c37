/**
 * What a scripted server says, down to the byte and the moment.
 *
 * @module
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** Bytes exactly as given, and what becomes of the connection. */
export interface Scripted {
  /** verbatim: no CRLF is added; nothing is said without it */
  readonly send?: string | Uint8Array
  /** milliseconds between single bytes: a server that drips */
  readonly every?: number
  /** the same over and over, until the peer goes away */
  readonly repeat?: boolean
  /** milliseconds before the first byte */
  readonly after?: number
  /** default: the session goes on */
  readonly then?: 'close' | 'reset'
}

/** A string is one reply: its lines are separated by "\n", each leaves with CRLF. */
export type Reply = string | Scripted

/** The server reads and never answers. */
export const silence: Scripted = {}
/** The server closes the connection in good order. */
export const hangUp: Scripted = { then: 'close' }
/** The server resets the connection. */
export const reset: Scripted = { then: 'reset' }
/** A line without end. */
export const endlessLine: Scripted = { send: 'x'.repeat(1000), repeat: true }
/** Continuation lines without end. */
export const endlessReply: Scripted = { send: '250-AND-SO-ON\r\n'.repeat(50), repeat: true }

/** The bytes of a reply, as far as it says anything at all. */
export function bytesOf(reply: Reply): Buffer {
  if (typeof reply === 'string') return Buffer.from(`${reply.split('\n').join('\r\n')}\r\n`, 'latin1')
  const { send = '' } = reply
  return typeof send === 'string' ? Buffer.from(send, 'latin1') : Buffer.from(send)
}

/** Says it. Resolves when it is said, or when nobody is there any more to hear it. */
export async function say(socket: Socket, reply: Reply): Promise<void> {
  const { every, repeat = false, after = 0, then }: Scripted = typeof reply === 'string' ? {} : reply
  if (after > 0) await sleep(after)
  do {
    if (every === undefined) await write(socket, bytesOf(reply))
    else await drip(socket, bytesOf(reply), every)
    if (repeat) await nextTurn() // others want to live, too
  } while (repeat && socket.writable)
  if (then === 'close') socket.end()
  if (then === 'reset') resetConnection(socket)
}

/** TLS sockets on servers' sides, and the TCP socket that each of them is on. */
const underneath = new WeakMap<Socket, Socket>()

/** Remembers what a TLS socket is on: it cannot reset the connection itself. */
export function liesOn(secure: Socket, socket: Socket): void {
  underneath.set(secure, socket)
}

/** Resets the TCP connection, also from inside TLS. */
export function resetConnection(socket: Socket): void {
  const tcp = underneath.get(socket) ?? socket
  tcp.resetAndDestroy()
}

async function drip(socket: Socket, bytes: Buffer, every: number): Promise<void> {
  for (const byte of bytes) {
    if (!socket.writable) return
    socket.write(Buffer.from([byte]))
    await sleep(every)
  }
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.writable || bytes.length === 0) return
  if (socket.write(bytes)) return
  const drained = new AbortController()
  const signal = drained.signal
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => undefined)
  drained.abort()
}
