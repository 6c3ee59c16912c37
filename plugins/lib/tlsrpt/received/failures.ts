/**
 * Ways to fail, added up over reports: those of one host that fail alike are one, whichever sender reports them.
 *
 * @module
 */

import type { FailureWay, ReceivedEntry } from './kept'

/** Sessions that failed in the same way, for all who reported it. */
export interface FailureSummary extends Pick<FailureWay, 'domain' | 'type' | 'result' | 'count'> {
  /** the MX host, by name or address; undefined: the reports do not say, or there was none */
  readonly host: string | undefined
  readonly reason: string | undefined
  /** when the first report that says so begins, and when the last one ends: milliseconds since 1970 */
  readonly since: number
  readonly until: number
  /** who says so: see {@link reporterOf} */
  readonly reporters: readonly string[]
}

export interface Failures {
  readonly add: (way: FailureWay, entry: ReceivedEntry) => void
  readonly all: () => {
    /** the most frequent first */
    readonly failures: readonly FailureSummary[]
    /** false: there were more ways to fail than anybody would look at, and some are left out */
    readonly isComplete: boolean
  }
}

const MOST_FAILURES = 10_000
const MOST_REPORTERS = 20

type Failure = { -readonly [Field in keyof FailureSummary]: FailureSummary[Field] } & { readonly reporters: string[] }

export function createFailures(): Failures {
  const failures = new Map<string, Failure>()
  let isComplete = true

  const placeOf = ({ domain, type, host, result, reason }: FailureWay): Failure | undefined => {
    const key = JSON.stringify([domain, type, host, result, reason])
    const known = failures.get(key)
    if (known !== undefined) return known
    if (failures.size >= MOST_FAILURES) return undefined
    const span = { count: 0, since: Infinity, until: -Infinity }
    const failure = { domain, type, host, result, reason, ...span, reporters: [] }
    failures.set(key, failure)
    return failure
  }

  return {
    add: (way, entry) => {
      const failure = placeOf(way)
      if (failure === undefined) {
        isComplete = false
        return
      }
      failure.count += way.count
      failure.since = Math.min(failure.since, entry.start)
      failure.until = Math.max(failure.until, entry.end)
      const reporter = reporterOf(entry)
      if (failure.reporters.length < MOST_REPORTERS && !failure.reporters.includes(reporter))
        failure.reporters.push(reporter)
    },
    all: () => ({
      failures: [...failures.values()].sort((a, b) => b.count - a.count || b.until - a.until || byDomain(a, b)),
      isComplete,
    }),
  }
}

/** Who reports: the domain that signed, or else the organization in its own words. */
export function reporterOf({ signedBy, organization }: ReceivedEntry): string {
  return signedBy ?? organization
}

export function byDomain(a: { readonly domain: string }, b: { readonly domain: string }): number {
  return a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0
}
