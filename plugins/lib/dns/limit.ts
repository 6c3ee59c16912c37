/**
 * How much is done at a time.
 *
 * @module
 */

/** Runs tasks, at most `max` of them at a time, the others in the order in which they came. */
export function createLimit(max: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next)
        next() // it takes this one's place
      else running--
    }
  }
}
