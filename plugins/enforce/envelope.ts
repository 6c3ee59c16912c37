/**
 * What a queue file says of a message. Other plugins and damaged files may have put anything there.
 *
 * @module
 */

import type { HMailItem, Todo } from '../runtime/haraka'

/** The recipient domain; what is none is empty. */
export function recipientDomainOf({ todo }: HMailItem): string {
  const domain: unknown = todo?.domain
  return typeof domain === 'string' ? domain : ''
}

/** Throws where there is none: what holds for the message is not known. */
export function envelopeOf({ todo }: HMailItem): Todo {
  if (todo === null) throw new Error('the message has no envelope')
  return todo
}
