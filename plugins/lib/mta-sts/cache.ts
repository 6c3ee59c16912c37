/**
 * The cache of policies that all processes share. Nothing here rejects: what could not be done is a result, and a delivery goes on with
 * what it has.
 *
 * @module
 */

import type { Calls, Store } from '../store'
import { sql } from './sql'

export type StsCache = Calls<typeof sql.methods> & { readonly close: () => void }

/**
 * For what a delivery waits for: milliseconds. Far more than a read takes, and little beside what looking live takes, which is what the
 * delivery does then.
 */
export const DELIVERY_LIMIT = 1000

/**
 * @param shared - released when the cache is closed
 * @param limit - undefined: that of the store, for callers that deliver nothing
 */
export function createStsCache(
  { store, end }: { readonly store: Store; readonly end: () => void },
  limit?: number,
): StsCache {
  const { read, save, generation, claim, release, failedFetch, lastFailure, noteFailedFetch } = store.module(sql, limit)
  const awaited = { read, save, generation, claim, release, failedFetch, lastFailure, noteFailedFetch }
  return { ...store.module(sql), ...awaited, close: end }
}
