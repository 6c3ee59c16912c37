/**
 * What is asked for a message in this attempt: its own word, as far as the administrator lets it count.
 *
 * @module
 */

import type { HMailItem } from '../haraka'
import { wishThatCounts } from '../lib/delivery'
import { tlsWishOf, type TlsWish } from '../lib/message'
import type { Settings } from '../lib/settings'

export function wishOf({ todo }: HMailItem, settings: Settings): TlsWish | undefined {
  return wishThatCounts(tlsWishOf(todo.notes), settings)
}
