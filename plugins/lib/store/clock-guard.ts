/**
 * Whether the clock can be believed when it says that something is long over.
 *
 * @module
 */

import { DAY, HOUR, MINUTE } from '../time'

/** How long a clock that was set ahead is not believed: milliseconds. Who has set it by mistake has noticed by then. */
const DOUBT = 15 * MINUTE

/**
 * Makes a question that is answered with true once a day, after a day on which time has gone on evenly. A clock that is wrong for a
 * while, as some are after a start, must not make things look long over and have them removed.
 *
 * @param now - milliseconds since 1970
 * @param clock - monotonic, milliseconds
 * @param spell - another span of time than a day: milliseconds
 */
export function createClockGuard(now: () => number, clock: () => number, spell = DAY): () => boolean {
  let since = { wall: now(), steady: clock() }
  return () => {
    const passed = clock() - since.steady
    const isEven = Math.abs(now() - since.wall - passed) < HOUR
    if (isEven && passed < spell) return false
    since = { wall: now(), steady: clock() }
    return isEven
  }
}

/**
 * Makes a question, to be asked every few seconds, that is answered with true while the clock may have been set ahead by mistake: for a
 * quarter of an hour after it was, by an hour or more, or until it is set back.
 *
 * @param now - milliseconds since 1970
 * @param clock - monotonic, milliseconds
 * @param leapt - told of it, with how far it was set: milliseconds
 */
export function createLeapWatch(now: () => number, clock: () => number, leapt: (by: number) => void): () => boolean {
  let offset = now() - clock()
  let until = -Infinity
  return () => {
    const leap = now() - clock() - offset
    offset += leap
    if (leap >= HOUR) {
      until = clock() + DOUBT
      leapt(leap)
    }
    if (leap <= -HOUR) until = -Infinity
    return clock() < until
  }
}
