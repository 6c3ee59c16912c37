/**
 * The store's clock between two answers of the store: all hosts that share a store go by it, whatever their own clocks say.
 *
 * @module
 */

import type { ReportLedger } from './ledger'

/** A call of the store is given up earlier. This process has been stopped meanwhile, and when the store was asked is not known. */
const LONGEST_ANSWER = 15_000

export interface StoreClock {
  /** Asks the store. @returns false: it is not known what time it is */
  readonly sync: () => Promise<boolean>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** @param clock - monotonic, milliseconds: it carries the time on until the store is asked again */
export function createStoreClock(ledger: Pick<ReportLedger, 'now'>, clock: () => number): StoreClock {
  let offset = NaN
  return {
    sync: async () => {
      const asked = clock()
      const told = await ledger.now()
      if (!told.ok || clock() - asked > LONGEST_ANSWER) return false
      offset = told.value - asked
      return true
    },
    now: () => Math.floor(clock() + offset),
  }
}
