/**
 * Whether the clock can be believed when it says that something is long over.
 *
 * @module
 */

const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * Makes a question that is answered with true once a day, after a day on which time has gone on evenly. A clock that is wrong for a
 * while, as some are after a start, must not make things look long over and have them removed.
 *
 * @param now - milliseconds since 1970
 * @param clock - monotonic, milliseconds
 * @param spell - another span of time than a day: milliseconds
 */
export function createSteadiness(now: () => number, clock: () => number, spell = DAY): () => boolean {
  let since = { wall: now(), steady: clock() }
  return () => {
    const passed = clock() - since.steady
    const isEven = Math.abs(now() - since.wall - passed) < HOUR
    if (isEven && passed < spell) return false
    since = { wall: now(), steady: clock() }
    return isEven
  }
}
