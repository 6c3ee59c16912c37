/**
 * Waiting no longer than one is prepared to.
 *
 * @module
 */

export const LATE = Symbol('late')

/**
 * Waits for a promise, but no longer than a limit. What comes of it later is nobody's business any more.
 *
 * @param limit - milliseconds
 * @returns {@link LATE} where it took too long
 */
export async function within<Result>(limit: number, promise: Promise<Result>): Promise<Result | typeof LATE> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    // if this process was held up, the answer may be there already, and has not been read yet
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, LATE)), limit)
  })
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
