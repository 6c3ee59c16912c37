/**
 * What is asked for a message in this attempt: its own word, as far as the administrator lets it count.
 *
 * @module
 */

import type { HMailItem } from '../runtime/haraka'
import { effectiveTlsRequest } from '../lib/delivery'
import { markRequireTls, newNotes, markedTlsRequest, type TlsRequest } from '../lib/requiretls'
import type { Settings } from '../lib/settings'
import type { Guarded } from './guarded'

/** Messages that have been seen to require TLS. Other plugins may replace the notes between two hooks. */
const requiring = new WeakSet<HMailItem>()

/**
 * What a message asks for. To be called as soon as the message is there: REQUIRETLS is never taken back (Q2), and is put back
 * into notes that have lost it, for the messages that core splits off.
 */
export function readTlsRequest(hmail: HMailItem): TlsRequest | undefined {
  const request = markedTlsRequest(hmail.todo?.notes)
  if (request === 'requiretls') requiring.add(hmail)
  else if (requiring.has(hmail)) return putBack(hmail)
  return request
}

function putBack({ todo }: HMailItem): TlsRequest {
  const marked = newNotes()
  markRequireTls(marked)
  const notes: unknown = todo?.notes
  if (typeof notes === 'object' && notes !== null) Reflect.set(notes, 'outbound_tls', marked.outbound_tls)
  else if (todo !== null) Reflect.set(todo, 'notes', marked)
  return 'requiretls'
}

export function tlsRequestOf({ hmail, isRequireTlsWaived }: Guarded, settings: Settings): TlsRequest | undefined {
  const request = readTlsRequest(hmail)
  return request === 'requiretls' && isRequireTlsWaived ? undefined : effectiveTlsRequest(request, settings)
}
