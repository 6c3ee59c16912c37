/**
 * What the log says of calls that fail: once that the store is unavailable, once that it is available again.
 *
 * @module
 */

import type { Log } from './done'
import type { CallResult, CallMessage } from './messages'

/**
 * How long no call has failed before one that succeeds says that the store is available, though the one that failed first was not made
 * again: milliseconds. Counts that cannot be written are tried every second.
 */
const QUIET = 5000
/** A store that comes and goes is told of once in this time; mistakes of a module, too: milliseconds. */
const PAUSE = 60_000

/** @param clock - monotonic, milliseconds */
export function createTrouble(log: Log, clock: () => number = () => performance.now()) {
  /** What failed first: where the disk is full, or the server read-only, other calls succeed all the while. */
  let failing: string | undefined
  let failedAt = -Infinity
  let toldAt = -Infinity
  let told = false

  const mayTell = (): boolean => {
    if (clock() - toldAt < PAUSE) return false
    toldAt = clock()
    return true
  }

  return {
    note: ({ file, method }: Pick<CallMessage, 'file' | 'method'>, answer: CallResult): void => {
      const call = `${file} ${method}`
      if (answer.ok) {
        if (failing !== call && clock() - failedAt < QUIET) return
        failing = undefined
        if (told) log('notice', 'store available again')
        told = false
      } else if (answer.isUnavailable !== true) {
        if (mayTell()) log('error', `store: ${method} failed: ${answer.text}`)
      } else {
        failedAt = clock()
        if (failing !== undefined) return
        failing = call
        told = mayTell()
        if (told) log('crit', `store unavailable: ${answer.text}`)
      }
    },
  }
}
