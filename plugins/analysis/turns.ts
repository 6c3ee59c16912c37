/**
 * How many may do something at once: the others wait their turn.
 *
 * @module
 */

export interface Turns {
  /** Resolves when it is one's turn, with what ends it; undefined: not within that time, in milliseconds. */
  take(timeout: number): Promise<(() => void) | undefined>
}

/** @param most - at once */
export function createTurns(most: number): Turns {
  const waiting = new Set<() => void>()
  let free = most

  const once = (): (() => void) => {
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const [next] = waiting
      if (next === undefined) free++
      else next()
    }
  }

  return {
    take: (timeout) => {
      if (free > 0) {
        free--
        return Promise.resolve(once())
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(next)
          resolve(undefined)
        }, timeout)
        const next = (): void => {
          clearTimeout(timer)
          waiting.delete(next)
          resolve(once())
        }
        waiting.add(next)
      })
    },
  }
}
