/**
 * Answers by question, kept for their time and no longer (K3). Bounded in number and in octets; what was used least
 * recently makes room.
 *
 * @module
 */

/** Answers that are kept, with `now` and `expires` on one clock, in milliseconds. */
export interface Cache<Value> {
  get(key: string, now: number): { readonly value: Value; readonly expires: number } | undefined
  set(key: string, value: Value, expires: number, size: number): void
  clear(): void
  readonly count: number
}

interface Entry<Value> {
  readonly value: Value
  readonly expires: number
  readonly size: number
}

/** An answer is a few hundred octets; with this many for each, few large ones cannot take more memory than many usual ones. */
const OCTETS_PER_ENTRY = 2048

/** @param capacity - answers; 0 keeps none */
export function createCache<Value>(capacity: number): Cache<Value> {
  const entries = new Map<string, Entry<Value>>() // in the order of last use
  const maxSize = capacity * OCTETS_PER_ENTRY
  let size = 0

  const remove = (key: string, entry: Entry<Value>): void => {
    entries.delete(key)
    size -= entry.size
  }
  return {
    get(key, now) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (entry.expires <= now) {
        remove(key, entry)
        return undefined
      }
      entries.delete(key)
      entries.set(key, entry)
      return entry
    },
    set(key, value, expires, entrySize) {
      const former = entries.get(key)
      if (former) remove(key, former)
      if (capacity === 0) return
      const entry = { value, expires, size: entrySize }
      entries.set(key, entry)
      size += entrySize
      for (const [oldest, old] of entries) {
        if (entries.size <= capacity && size <= maxSize) break
        remove(oldest, old)
      }
    },
    clear() {
      entries.clear()
      size = 0
    },
    get count() {
      return entries.size
    },
  }
}
