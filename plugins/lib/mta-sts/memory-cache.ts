/**
 * The policies of the domains that mail goes to just now, in memory: a delivery to a known destination does not wait for the store. What
 * other processes change is noticed within a second.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import type { Done } from '../store'
import type { StsCache } from './cache'
import type { CachedPolicy } from './cached-policy'

export interface MemoryCache {
  /** What is cached for a domain. Not ok: the cache cannot be read, and memory does not know either. */
  readonly read: (domain: string) => Promise<Done<CachedPolicy | undefined>>
  /** Keeps a policy here and in the cache; where the cache cannot take it, here alone until it can. */
  readonly keep: (entry: CachedPolicy) => Promise<void>
  /** Tries again to save what could not be saved. */
  readonly saveRest: () => Promise<void>
}

interface Known {
  readonly entry: CachedPolicy | undefined
  /** of the cache when it was read; undefined: it has not been read since it was saved, which changed the generation */
  readonly generation: string | undefined
  readonly saved: boolean
}

/** How long others' changes may go unnoticed: milliseconds. */
const TRUST = 1000
/** Policy text to hold, in characters, each domain counting as 500 more. */
const LARGEST = 32_000_000

/** @param clock - monotonic, milliseconds */
export function createMemoryCache(cache: StsCache, clock: () => number): MemoryCache {
  const known = new LRUCache<string, Known>({
    maxSize: LARGEST,
    sizeCalculation: ({ entry }) => 500 + (entry?.policy.text.length ?? 0),
  })
  let generation: { readonly done: Promise<Done<string>>; readonly at: number } | undefined

  const currentGeneration = (): Promise<Done<string>> => {
    if (!generation || clock() - generation.at >= TRUST) generation = { done: cache.generation(), at: clock() }
    return generation.done
  }

  const read = async (domain: string): Promise<Done<CachedPolicy | undefined>> => {
    const current = await currentGeneration()
    const before = known.get(domain)
    if (current.ok && before?.generation === current.value) return { ok: true, value: before.entry }

    const stored = current.ok ? await cache.read(domain) : current
    const meanwhile = known.get(domain)
    if (meanwhile && meanwhile !== before) return { ok: true, value: meanwhile.entry } // kept while we were reading
    // better what we know of than nothing: others can only have refreshed it, and an administrator who dropped it has a broken cache
    if (!stored.ok) return before?.entry ? { ok: true, value: before.entry } : stored
    if (before?.saved === false && isNewer(before.entry, stored.value)) return { ok: true, value: before.entry }
    if (current.ok) known.set(domain, { entry: stored.value, generation: current.value, saved: true })
    return stored
  }

  const keep = async (entry: CachedPolicy): Promise<void> => {
    const { ok } = await cache.save(entry)
    known.set(entry.domain, { entry, generation: undefined, saved: ok })
  }

  const saveRest = async (): Promise<void> => {
    for (const { entry, saved } of [...known.values()]) if (!saved && entry) await keep(entry)
  }

  return { read, keep, saveRest }
}

function isNewer(ours: CachedPolicy | undefined, theirs: CachedPolicy | undefined): boolean {
  return (ours?.fetchedAt ?? 0) > (theirs?.fetchedAt ?? 0)
}
