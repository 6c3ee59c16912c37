/**
 * What is asked for a message in this attempt: its own word, as far as the administrator lets it count.
 *
 * @module
 */

import type { HMailItem } from '../haraka'
import { tlsWishOf, type TlsWish } from '../lib/message'
import type { Settings } from '../lib/settings'

/** REQUIRETLS was promised when the message came in: it is kept, whatever has been configured since. */
export function wishOf({ todo }: HMailItem, { main }: Settings): TlsWish | undefined {
  const wish = tlsWishOf(todo.notes)
  return wish === 'tls-required-no' && !main.tlsRequiredNo ? undefined : wish
}
