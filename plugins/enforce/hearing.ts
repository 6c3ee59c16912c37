/**
 * How much a server may say, and for how long, before core says something again.
 *
 * Core keeps all that it hears until it makes a line, and a reply, and does not mind how long that takes as long as
 * something comes: a server could keep a place in the queue for ever, and fill the memory.
 *
 * @module
 */

/** In octets: a hundred lines as long as RFC 5321 §4.5.3.1.5 lets them be, and more. */
const LARGEST_REPLY = 65_536
/** The longest wait for a reply, in milliseconds (RFC 5321 §4.5.3.2.6). */
const LONGEST_REPLY = 600_000

export interface Hearing {
  /** We say something: what comes from now on answers it. */
  readonly begin: () => void
  /** - `too-much`: for the first time; `over`: that was before, and nothing counts any more */
  readonly hear: (octets: number) => 'fine' | 'too-much' | 'over'
}

/** @param now - milliseconds of a clock that only goes forward */
export function createHearing(now: () => number): Hearing {
  let heard = 0
  let since = now()
  let isOver = false
  return {
    begin: () => {
      heard = 0
      since = now()
    },
    hear: (octets) => {
      if (isOver) return 'over'
      heard += octets
      isOver = heard > LARGEST_REPLY || now() - since > LONGEST_REPLY
      return isOver ? 'too-much' : 'fine'
    },
  }
}
