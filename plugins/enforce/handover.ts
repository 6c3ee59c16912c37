/**
 * Hands an opened session over to core, which then sends the mail as it always does.
 *
 * Core begins every session itself: it waits for a greeting and says EHLO. It is told the greeting and the EHLO reply
 * that we got, without STARTTLS; its own first EHLO goes nowhere. From then on the line is its own, but for one thing:
 * where TLS is required, nothing is ever written to an unencrypted socket.
 *
 * @module
 */

import type { PluggableSocket } from '../haraka'
import type { Reply } from '../lib/delivery'

/**
 * Prepares a socket for core. To be called before core attaches its listeners.
 *
 * @param requiresTls - the verdict: clear text is refused at the last line of defence, too
 */
export function prepareForCore(socket: PluggableSocket, requiresTls: boolean, hello: Reply | undefined): void {
  const write = socket.write.bind(socket)
  let expectsHello = hello !== undefined

  socket.write = (data, encoding, callback) => {
    if (requiresTls && !socket.isEncrypted()) {
      // Not from within the call: core is in the middle of sending a command
      setImmediate(() => socket.emit('error', new Error('refused to write to an unencrypted connection')))
      return false
    }
    if (expectsHello && isHello(data)) {
      expectsHello = false
      process.nextTick(() => tell(socket, hello))
      return true
    }
    return write(data, encoding, callback)
  }

  const emit = socket.emit.bind(socket)
  socket.emit = (event, ...values: unknown[]) => {
    const [error] = values
    // Core would otherwise mark the host in Redis as one without TLS, and with Redis down never come back
    if (event === 'error' && error instanceof Error && 'source' in error) delete error.source
    return emit(event, ...values)
  }
}

/** What core takes for the keyword STARTTLS: to it, a "#" or an enhanced status code in front of it are nothing. */
const starttls = /^\d{3}[ -]#?(?:\d\.\d\.\d\s)?STARTTLS\s*$/i

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

function isHello(data: string | Uint8Array): boolean {
  return typeof data === 'string' && /^(EHLO|LHLO) /.test(data)
}
