/**
 * What is asked for a message in this attempt: its own word, as far as the administrator lets it count.
 *
 * @module
 */

import type { HMailItem } from '../runtime/haraka'
import { wishThatCounts } from '../lib/delivery'
import { markRequireTls, newNotes, tlsWishOf, type TlsWish } from '../lib/message'
import type { Settings } from '../lib/settings'
import type { Guarded } from './guarded'

/** Messages that have been seen to require TLS. Other plugins may replace the notes between two hooks. */
const requiring = new WeakSet<HMailItem>()

/**
 * What a message asks for. To be called as soon as the message is there: REQUIRETLS is never taken back (Q2), and is put back
 * into notes that have lost it, for the messages that core splits off.
 */
export function readWish(hmail: HMailItem): TlsWish | undefined {
  const wish = tlsWishOf(hmail.todo?.notes)
  if (wish === 'requiretls') requiring.add(hmail)
  else if (requiring.has(hmail)) return putBack(hmail)
  return wish
}

function putBack({ todo }: HMailItem): TlsWish {
  const marked = newNotes()
  markRequireTls(marked)
  const notes: unknown = todo?.notes
  if (typeof notes === 'object' && notes !== null) Reflect.set(notes, 'outbound_tls', marked.outbound_tls)
  else if (todo !== null) Reflect.set(todo, 'notes', marked)
  return 'requiretls'
}

export function wishOf({ hmail, isRequireTlsWaived }: Guarded, settings: Settings): TlsWish | undefined {
  const wish = readWish(hmail)
  return wish === 'requiretls' && isRequireTlsWaived ? undefined : wishThatCounts(wish, settings)
}
