/**
 * A plugin that sends a message of its own for what it gets with the header X-Forward, to the address in there: as a forwarder or
 * a vacation responder does. What the first message says about TLS goes with the second (RFC 8689 §6).
 *
 * @module
 */
import type { Next, Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('data_post', 'forward')
}

interface Connection {
  readonly transaction: {
    readonly notes: { readonly outbound_tls?: unknown }
    readonly header: { get(name: string): string }
  }
}

export function forward(this: Plugin, next: Next, { transaction }: Connection): void {
  const { notes, header } = transaction
  const to = header.get('X-Forward').trim()
  if (to === '') return next()
  const text = `From: <list@origin.test>\r\nTo: <${to}>\r\nSubject: Forwarded\r\n\r\nHello.\r\n`
  const options = { notes: { skip_plugins: [], outbound_tls: notes.outbound_tls } }
  this.haraka_require('outbound').send_email('list@origin.test', to, text, () => next(), options)
}
