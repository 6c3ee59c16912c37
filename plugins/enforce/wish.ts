/**
 * What is asked for a message in this attempt: its own word, as far as the administrator lets it count.
 *
 * @module
 */

import { wishThatCounts } from '../lib/delivery'
import { tlsWishOf, type TlsWish } from '../lib/message'
import type { Settings } from '../lib/settings'
import type { Guarded } from './guarded'

export function wishOf({ hmail, isRequireTlsWaived }: Guarded, settings: Settings): TlsWish | undefined {
  const wish = tlsWishOf(hmail.todo.notes)
  return wish === 'requiretls' && isRequireTlsWaived ? undefined : wishThatCounts(wish, settings)
}
