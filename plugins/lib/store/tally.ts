/**
 * Log lines that could come by the thousand: one a minute, with the number of what they stand for.
 *
 * @module
 */

export interface Tally {
  readonly add: (count: number) => void
  /** Says what has not been said yet. */
  readonly tellRest: () => void
}

const PAUSE = 60_000

/**
 * @param tell - is given how many there were since it was last called
 * @param clock - monotonic, milliseconds
 */
export function createTally(tell: (count: number) => void, clock: () => number = () => performance.now()): Tally {
  let untold = 0
  let toldAt = -Infinity
  const tellRest = (): void => {
    if (untold === 0) return
    const count = untold
    untold = 0
    toldAt = clock()
    tell(count)
  }
  return {
    add: (count) => {
      untold += count
      if (clock() - toldAt >= PAUSE) tellRest()
    },
    tellRest,
  }
}
