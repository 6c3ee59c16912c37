/**
 * Long lists of a store, page by page.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Done } from '../lib/store'

export interface Paging<Entry> {
  /** entries of one page: read in a few milliseconds */
  readonly size: number
  /** entries of all pages together, at most */
  readonly most: number
  /** @param after - the last entry of the page before */
  readonly read: (after: Entry | undefined, limit: number) => Promise<Done<readonly Entry[]>>
}

/** Calls `each` with the entries, in their order; other work gets its turn between two pages. @returns how many there were */
export async function eachEntry<Entry>(
  { size, most, read }: Paging<Entry>,
  each: (entry: Entry) => void,
): Promise<Done<number>> {
  let count = 0
  let after: Entry | undefined
  while (count < most) {
    const limit = Math.min(size, most - count)
    const page = await read(after, limit)
    if (!page.ok) return page
    page.value.forEach(each)
    count += page.value.length
    after = page.value.at(-1)
    if (page.value.length < limit) break
    await setImmediate()
  }
  return { ok: true, value: count }
}
