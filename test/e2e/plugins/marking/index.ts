/**
 * A plugin that writes into the notes of a message what the JSON of its header X-Notes says.
 *
 * @module
 */
import type { Next, Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('data_post', 'mark')
}

interface Connection {
  readonly transaction: { readonly notes: object; readonly header: { get(name: string): string } }
}

export function mark(next: Next, { transaction: { notes, header } }: Connection): void {
  const text = header.get('X-Notes').trim()
  if (text !== '') Object.assign(notes, JSON.parse(text))
  next()
}
