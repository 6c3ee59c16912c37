/**
 * What reports of others say together, of the last days.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import { createDigest, type Digest, type ReceivedStore } from '../../lib/received'
import type { Done } from '../../lib/store'

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
  const counted = await eachEntry(store, since, true, add)
  if (!counted.ok) return counted
  const apart = await eachEntry(store, since, false, () => undefined)
  if (!apart.ok) return apart
  const all = digest()
  const isComplete = all.isComplete && counted.value < MOST
  return { ok: true, value: { ...all, isComplete, since, unverified: apart.value } }
}

/** @returns how many there were */
async function eachEntry(
  store: ReceivedStore,
  since: number,
  isCounted: boolean,
  add: ReturnType<typeof createDigest>['add'],
): Promise<Done<number>> {
  let count = 0
  let after: { readonly receivedAt: number; readonly id: string } | undefined
  while (count < MOST) {
    const done = await store.entries({ since, isCounted, ...(after && { after }), limit: PIECE })
    if (!done.ok) return done
    for (const entry of done.value) add(entry)
    count += done.value.length
    after = done.value.at(-1)
    if (done.value.length < PIECE) break
    await setImmediate()
  }
  return { ok: true, value: count }
}
