/**
 * The store's clock between two answers of the store: all hosts that share a store go by it, whatever their own clocks say.
 *
 * @module
 */

import type { ReportLedger } from './ledger'

export interface StoreClock {
  /** Asks the store. @returns false: it does not answer, and never has */
  readonly sync: () => Promise<boolean>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** @param clock - monotonic, milliseconds: it carries the time on until the store is asked again */
export function createStoreClock(ledger: Pick<ReportLedger, 'now'>, clock: () => number): StoreClock {
  let offset: number | undefined
  return {
    sync: async () => {
      const asked = clock()
      const told = await ledger.now()
      if (told.ok) offset = told.value - asked
      return offset !== undefined
    },
    now: () => Math.floor(clock() + (offset ?? 0)),
  }
}
