/**
 * What the JSON says, and what the pages are made of. Times are ISO 8601 in UTC, and what is not known is null.
 *
 * @module
 */

import type { Done } from '../../lib/store'
import { isoTime } from '../../lib/time'

export type Answer<Data> =
  | { readonly ok: true; readonly data: Data }
  /** 404: there is no such thing; 503: the store cannot be read */
  | { readonly ok: false; readonly status: 404 | 503; readonly text: string }

/** ISO 8601, UTC. */
export type Time = string

/** @param instant - milliseconds since 1970; one that no clock will show is null */
export function timeOf(instant: number): Time | null {
  return Number.isNaN(new Date(instant).getTime()) ? null : isoTime(instant)
}

export function timeOrNull(instant: number | undefined): Time | null {
  return instant === undefined ? null : timeOf(instant)
}

/** Puts an answer together of several stores: one that cannot be read leaves the others as they are. */
export interface Gathering {
  /** what could not be read, in a sentence each, and each once */
  readonly problems: readonly string[]
  readonly take: <Value, Shown>(what: string, done: Done<Value>, show: (value: Value) => Shown) => Shown | null
}

export function gather(): Gathering {
  const problems: string[] = []
  return {
    problems,
    take: (what, done, show) => {
      if (done.ok) return show(done.value)
      const problem = `${what} cannot be read: ${done.text}`
      if (!problems.includes(problem)) problems.push(problem)
      return null
    },
  }
}
