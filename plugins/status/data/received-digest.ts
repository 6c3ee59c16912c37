/**
 * What reports of others say together, of the last days.
 *
 * @module
 */

import { createDigest, type Digest, type ReceivedEntry, type ReceivedStore } from '../../lib/tlsrpt/received'
import type { Done } from '../../lib/store'
import { eachEntry } from '../../runtime/paging'

export interface ReceivedDigest extends Digest {
  /** of which time on reports are added up: milliseconds since 1970 */
  readonly since: number
  /** reports that do not count, of the same time */
  readonly unverified: number
}

const DAY = 86_400_000
/** How far back reports are added up. */
const SPAN = 30 * DAY
/** Read in one go. */
const PIECE = 50
/** The latest ones: about a quarter of a second's work. */
const MOST = 5000

export async function digestReceived(store: ReceivedStore, now: number): Promise<Done<ReceivedDigest>> {
  const since = Math.floor((now - SPAN) / DAY) * DAY
  const { add, digest } = createDigest()
  const read = (isCounted: boolean, each: (entry: ReceivedEntry) => void): Promise<Done<number>> =>
    eachEntry(
      {
        size: PIECE,
        most: MOST,
        read: (after, limit) => store.entries({ since, isCounted, limit, ...(after && { after }) }),
      },
      each,
    )
  const counted = await read(true, add)
  if (!counted.ok) return counted
  const apart = await read(false, () => undefined)
  if (!apart.ok) return apart
  const all = digest()
  const isComplete = all.isComplete && counted.value < MOST
  return { ok: true, value: { ...all, isComplete, since, unverified: apart.value } }
}
