/**
 * What the JSON says, and what the pages are made of. Times are ISO 8601 in UTC, and what is not known is null.
 *
 * @module
 */

import type { Done } from '../../lib/store'

export type Answer<Data> =
  | { readonly ok: true; readonly data: Data }
  /** 404: there is no such thing; 503: the store cannot be read */
  | { readonly ok: false; readonly status: 404 | 503; readonly text: string }

/** Where a page of a list ends: the last entry's number and name. */
export function cursorText(number: number, name: string): string {
  return `${number}~${name}`
}

export function readCursor(text: string | null): readonly [number: number, name: string] | undefined {
  const [, number, name] = /^(\d{1,16})~([^]{1,253})$/.exec(text ?? '') ?? []
  return number === undefined || name === undefined ? undefined : [Number(number), name]
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
