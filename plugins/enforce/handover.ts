/**
 * Hands an opened session over to core, which then sends the mail as it always does.
 *
 * Core begins every session itself: it waits for a greeting and says EHLO. It is told the greeting and the EHLO reply
 * that we got, without STARTTLS; its own first EHLO goes nowhere. From then on the line is its own, but for three things:
 * where TLS is required, nothing is ever written to an unencrypted socket; where the message requires TLS, its MAIL
 * command says so; and the server's replies are limited, and filtered.
 *
 * @module
 */

import type { Readable } from 'node:stream'
import type { PluggableSocket } from '../runtime/haraka'
import { createReplyLimit, MESSAGE_REPLY_TIME, type SmtpReply } from '../lib/delivery'
import { createReplyFilter } from './reply-filter'

/** What a session owes its verdict, also when core has the line. */
export interface Duties {
  /** clear text is refused at the last line of defence, too */
  readonly requiresTls: boolean
  /** REQUIRETLS goes with MAIL (RFC 8689 §4.2.1) */
  readonly saysRequireTls: boolean
  readonly isLmtp: boolean
}

/** Prepares a socket for core. To be called before core attaches its listeners. */
export function prepareForCore(socket: PluggableSocket, duties: Duties, hello: SmtpReply | undefined): void {
  const { fail, begin } = filterWhatIsHeard(socket, duties.isLmtp)
  const write = socket.write.bind(socket)
  let expectsHello = hello !== undefined
  let expectsMail = duties.saysRequireTls

  socket.write = (data, encoding, callback) => {
    if (duties.requiresTls && !socket.isEncrypted()) return fail('refused to write to an unencrypted connection')
    if (expectsMail && isMail(data)) {
      expectsMail = false // once: whatever else begins like this is of a message
      return write(data.replace(/\r\n$/, ' REQUIRETLS\r\n'), encoding, callback)
    }
    if (expectsMail && comesBehindMail(data)) return fail('refused to write a message without its REQUIRETLS')
    if (data === 'QUIT\r\n') destroyAfterLinger(socket)
    if (expectsHello && isHello(data)) {
      expectsHello = false
      begin(data)
      process.nextTick(() => tell(socket, hello))
      return true
    }
    return write(data, encoding, callback)
  }
  closeMessageWith(socket)
}

interface Filtered {
  /** Breaks the connection: core tries the next host. */
  readonly fail: (why: string) => false
  /** Core says this, whether it is written or not. */
  readonly begin: (data: string | Uint8Array) => void
}

/** Has core hear replies that it understands, within limits. */
function filterWhatIsHeard(socket: PluggableSocket, isLmtp: boolean): Filtered {
  const [write, emit] = [socket.write.bind(socket), socket.emit.bind(socket)]
  const limit = createReplyLimit(() => performance.now())
  const filter = createReplyFilter(isLmtp)
  let isOver = false

  const fail = (why: string): false => {
    if (isOver) return false
    isOver = true
    // Not from within the call: core is in the middle of sending a command
    setImmediate(() => {
      socket.emit('error', new Error(why))
      socket.destroy()
    })
    return false
  }
  const begin = (data: string | Uint8Array) => {
    const endsMessage = filter.wrote(data)
    if (!endsMessage) return limit.began()
    limit.beganMessage()
    socket.setTimeout(MESSAGE_REPLY_TIME)
  }
  socket.write = (data, encoding, callback) => {
    if (isOver) return false
    begin(data)
    return write(data, encoding, callback)
  }

  const hearLine = (line: string): boolean => {
    const heard = filter.hear(line)
    if ('broken' in heard) return fail(heard.broken)
    if (heard.line === undefined) return false
    if (heard.closes === undefined) return emit('line', heard.line)
    isOver = true // also for the QUIT that core now says, and for the rest of the message
    const wasHeard = emit('line', heard.line)
    socket.destroy()
    return wasHeard
  }
  socket.emit = (event, ...values: unknown[]) => {
    const [value] = values
    if (event === 'data' && value instanceof Uint8Array) {
      if (isOver) return false
      if (!limit.allows(value.length)) return fail('the server says more, or for longer, than a reply can be')
      return filter.during(() => emit(event, value))
    }
    if (event === 'line' && typeof value === 'string') return isOver ? false : hearLine(value)
    // Core would otherwise mark the host in Redis as one without TLS, and with Redis down never come back
    if (event === 'error' && value instanceof Error && 'source' in value) delete value.source
    // An error that comes when core has let go of the socket would end the process
    if (event === 'error' && socket.listenerCount('error') === 0) return false
    return emit(event, ...values)
  }
  return { fail, begin }
}

/** Closes the file of a message with the connection that it is written to: where that breaks, core leaves it open. */
function closeMessageWith(socket: PluggableSocket): void {
  const destroy = socket.destroy.bind(socket)
  let message: Readable | undefined
  socket.on('pipe', (source: Readable) => (message = source))
  socket.destroy = () => {
    message?.destroy()
    destroy()
  }
}

/** A server has this time to answer our QUIT and hang up, in milliseconds. Core would wait for it for ever. */
const LINGER = 2000

/** Closes a connection that nothing is expected from any more, unless the server does. */
export function destroyAfterLinger(socket: PluggableSocket): void {
  setTimeout(() => socket.destroy(), LINGER).unref()
}

/** What core takes for the keyword STARTTLS: a "#" or an enhanced status code before it and what is behind a CR are nothing to it. */
const starttls = /^\d{3}[ -]#?(?:\d\.\d\.\d\s)?STARTTLS\s*(?:[\r\n]|$)/i

/** Lets core hear a reply. STARTTLS is no longer on offer. */
export function tell(socket: PluggableSocket, reply: SmtpReply | undefined): void {
  if (reply === undefined) return
  // Where the server has hung up behind a refusal, core would take the QUIT that it cannot write for another end of the attempt
  if (reply.code >= 400) socket.writable = true
  const left = reply.lines.filter((line) => !starttls.test(line))
  const lines = left.length > 0 ? left : [`${reply.code} \r\n`] // without any line core would wait for ever
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
