/**
 * Hands an opened session over to core, which then sends the mail as it always does.
 *
 * Core begins every session itself: it waits for a greeting and says EHLO. It is told the greeting and the EHLO reply
 * that we got, without STARTTLS; its own first EHLO goes nowhere. From then on the line is its own, but for two things:
 * where TLS is required, nothing is ever written to an unencrypted socket, and where the message requires TLS, its MAIL
 * command says so.
 *
 * @module
 */

import type { PluggableSocket } from '../haraka'
import type { Reply } from '../lib/delivery'
import { createHearing } from './hearing'

/** What a session owes its verdict, also when core has the line. */
export interface Duties {
  /** clear text is refused at the last line of defence, too */
  readonly requiresTls: boolean
  /** REQUIRETLS goes with MAIL (RFC 8689 §4.2.1) */
  readonly saysRequireTls: boolean
}

/** Prepares a socket for core. To be called before core attaches its listeners. */
export function prepareForCore(
  socket: PluggableSocket,
  { requiresTls, saysRequireTls }: Duties,
  hello: Reply | undefined,
): void {
  const write = socket.write.bind(socket)
  let expectsHello = hello !== undefined
  let expectsMail = saysRequireTls
  const hearing = createHearing(() => performance.now())

  const fail = (why: string) => {
    // Not from within the call: core is in the middle of sending a command
    setImmediate(() => {
      socket.emit('error', new Error(why))
      socket.destroy()
    })
    return false
  }
  socket.write = (data, encoding, callback) => {
    hearing.begin()
    if (requiresTls && !socket.isEncrypted()) return fail('refused to write to an unencrypted connection')
    if (expectsMail && isMail(data)) {
      expectsMail = false // once: whatever else begins like this is of a message
      return write(data.replace(/\r\n$/, ' REQUIRETLS\r\n'), encoding, callback)
    }
    if (expectsMail && comesBehindMail(data)) return fail('refused to write a message without its REQUIRETLS')
    if (data === 'QUIT\r\n') letGo(socket)
    if (expectsHello && isHello(data)) {
      expectsHello = false
      process.nextTick(() => tell(socket, hello))
      return true
    }
    return write(data, encoding, callback)
  }

  const emit = socket.emit.bind(socket)
  socket.emit = (event, ...values: unknown[]) => {
    const [value] = values
    if (event === 'data' && value instanceof Uint8Array) {
      const heard = hearing.hear(value.length)
      if (heard === 'too-much') fail('the server says more, or for longer, than a reply can be')
      if (heard !== 'fine') return false
    }
    // Core would otherwise mark the host in Redis as one without TLS, and with Redis down never come back
    if (event === 'error' && value instanceof Error && 'source' in value) delete value.source
    // An error that comes when core has let go of the socket would end the process
    if (event === 'error' && socket.listenerCount('error') === 0) return false
    return emit(event, ...values)
  }
}

/** A server has this time to answer our QUIT and hang up, in milliseconds. Core would wait for it for ever. */
const LINGER = 2000

/** Closes a connection that nothing is expected from any more, unless the server does. */
export function letGo(socket: PluggableSocket): void {
  setTimeout(() => socket.destroy(), LINGER).unref()
}

/** What core takes for the keyword STARTTLS: a "#" or an enhanced status code before it and what is behind a CR are nothing to it. */
const starttls = /^\d{3}[ -]#?(?:\d\.\d\.\d\s)?STARTTLS\s*(?:[\r\n]|$)/i

/** Lets core hear a reply. STARTTLS is no longer on offer. */
export function tell(socket: PluggableSocket, reply: Reply | undefined): void {
  if (reply === undefined) return
  const left = reply.lines.filter((line) => !starttls.test(line))
  const lines = left.length > 0 ? left : [`${reply.code} `] // without any line core would wait for ever
  lines.forEach((line, index) => {
    const separator = index === lines.length - 1 ? ' ' : '-'
    socket.emit('line', `${line.slice(0, 3)}${separator}${line.slice(4)}`)
  })
}

function isMail(data: string | Uint8Array): data is string {
  return typeof data === 'string' && /^MAIL FROM:[^\r\n]*\r\n$/i.test(data)
}

/** Also where it comes with something else in one piece. */
function comesBehindMail(data: string | Uint8Array): boolean {
  return typeof data !== 'string' || /^(MAIL|RCPT|DATA|BDAT)\b/im.test(data)
}

function isHello(data: string | Uint8Array): boolean {
  return typeof data === 'string' && /^(EHLO|LHLO)\b/.test(data)
}
