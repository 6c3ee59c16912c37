/**
 * A plugin that writes into the notes of a message what the JSON of its header X-Notes says, and takes a client with the
 * header X-Relaying: no for a stranger.
 *
 * @module
 */
import type { Next, Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('data_post', 'mark')
}

interface Connection {
  relaying: boolean
  readonly transaction: { readonly notes: object; readonly header: { get(name: string): string } }
}

export function mark(next: Next, connection: Connection): void {
  const { notes, header } = connection.transaction
  if (header.get('X-Relaying').trim() === 'no') connection.relaying = false
  const text = header.get('X-Notes').trim()
  if (text !== '') Object.assign(notes, JSON.parse(text))
  next()
}
