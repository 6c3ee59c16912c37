/**
 * Answers by question, kept for their time and no longer (K3). Bounded in number and in octets; what was used least
 * recently is dropped first.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'

/** Answers that are kept, with `now` and `expires` on one clock, in milliseconds. */
export interface Cache<Value> {
  get(key: string, now: number): { readonly value: Value; readonly expires: number } | undefined
  set(key: string, value: Value, expires: number, size: number): void
  clear(): void
  readonly count: number
}

/** An answer is a few hundred octets; with this many for each, few large ones cannot take more memory than many usual ones. */
const OCTETS_PER_ENTRY = 2048

/** @param capacity - answers; 0 keeps none */
export function createCache<Value>(capacity: number): Cache<Value> {
  const limits = { max: capacity, maxSize: capacity * OCTETS_PER_ENTRY }
  const entries =
    capacity === 0 ? undefined : new LRUCache<string, { readonly value: Value; readonly expires: number }>(limits)
  return {
    get(key, now) {
      const entry = entries?.get(key)
      if (entry === undefined || now < entry.expires) return entry
      entries?.delete(key)
      return undefined
    },
    set(key, value, expires, size) {
      entries?.set(key, { value, expires }, { size: Math.max(size, 1) }) // a time-out has no octets
    },
    clear: () => entries?.clear(),
    get count() {
      return entries?.size ?? 0
    },
  }
}
