/**
 * How often something may happen, overall and for each client: remote parties cannot have us do more than that, nor remember more of them
 * than a few.
 *
 * @module
 */

import { clientOf } from '../runtime/clients'

export interface RateLimit {
  /** Whether one more may come from this address now. */
  allows(address: string): boolean
}

export interface RateLimits {
  /** in each span, from one client */
  readonly ofOne: number
  /** in each span, from all of them */
  readonly ofAll: number
  /** milliseconds */
  readonly span: number
}

/** @param clock - monotonic, milliseconds */
export function createRateLimit({ ofOne, ofAll, span }: RateLimits, clock: () => number): RateLimit {
  const counts = new Map<string, number>() // no more of them than `ofAll`
  let total = 0
  let began = clock()
  return {
    allows: (address) => {
      if (clock() - began >= span) {
        counts.clear()
        total = 0
        began = clock()
      }
      const client = clientOf(address)
      const count = counts.get(client) ?? 0
      if (total >= ofAll || count >= ofOne) return false
      counts.set(client, count + 1)
      total++
      return true
    },
  }
}
