/**
 * How long it is remembered that a name's own servers keep silent (RFC 2308 §7.2, A11): those who ask for it next do
 * not wait for them again.
 *
 * @module
 */

/** Milliseconds, for a name that has been silent once; twice as long each time that it is silent again. */
const FIRST = 5_000
/** RFC 2308 §7.2: five minutes at most. */
const LONGEST = 300_000
/** The oldest is forgotten first. */
const MAX_NAMES = 10_000

export interface Silence {
  /** Notes that a question stayed without an answer. @returns how long that is remembered, in milliseconds */
  lasts(question: string): number
  ended(question: string): void
}

/** @param now - monotonic, in milliseconds */
export function createSilence(now: () => number): Silence {
  const known = new Map<string, { readonly period: number; readonly until: number }>()
  return {
    lasts(question) {
      const before = known.get(question)
      const isRecent = before !== undefined && now() < before.until + LONGEST
      const period = isRecent ? Math.min(2 * before.period, LONGEST) : FIRST
      known.delete(question)
      known.set(question, { period, until: now() + period })
      const [oldest] = known.keys()
      if (known.size > MAX_NAMES && oldest !== undefined) known.delete(oldest)
      return period
    },
    ended: (question) => void known.delete(question),
  }
}
