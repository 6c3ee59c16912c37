/**
 * What the entries of reports say together, without a look into the reports themselves: thousands of them, for a page.
 *
 * @module
 */

import { DAY } from '../../time'
import type { Totals } from '../parsing'
import { byDomain, createFailures, reporterOf, type FailureSummary } from './failures'
import type { DomainSum, ReceivedEntry } from './kept'

/** A domain of ours, and the UTC days for which there are reports about it. */
export interface DomainDays extends DomainSum {
  /** in their order; `day` is when it begins, in milliseconds since 1970 */
  readonly days: readonly (Totals & { readonly day: number })[]
}

export interface ReporterSum extends Totals {
  readonly reporter: string
  readonly reports: number
  /** when its latest report came: milliseconds since 1970 */
  readonly latest: number
}

export interface Digest {
  readonly reports: number
  /** of all domains: at least so many, since policies overlap, those of a domain and of its hosts too */
  readonly sessions: Totals
  /** those with failures first, most of them first */
  readonly domains: readonly DomainDays[]
  readonly reporters: readonly ReporterSum[]
  /** the most frequent first */
  readonly failures: readonly FailureSummary[]
  /** false: something was left out, since there was too much of it */
  readonly isComplete: boolean
}

export interface Digesting {
  /** Adds the entry of a report that counts. */
  readonly add: (entry: ReceivedEntry) => void
  readonly digest: () => Digest
}

const MOST_DOMAINS = 1000
const MOST_REPORTERS = 1000

type Sum = { -readonly [Field in keyof Totals]: number }

export function createDigest(): Digesting {
  const domains = new Map<string, Sum & { readonly days: Map<number, Sum> }>()
  const reporters = new Map<string, Sum & { reports: number; latest: number }>()
  const failures = createFailures()
  const sessions = nothing()
  let reports = 0
  let isComplete = true

  const addDomain = ({ domain, ...sum }: DomainSum, day: number): void => {
    const known = domains.get(domain)
    if (known === undefined && domains.size >= MOST_DOMAINS) {
      isComplete = false
      return
    }
    const place = known ?? { ...nothing(), days: new Map<number, Sum>() }
    domains.set(domain, place)
    const ofDay = place.days.get(day) ?? nothing()
    place.days.set(day, ofDay)
    for (const each of [place, ofDay]) plus(each, sum)
  }

  const addReporter = (entry: ReceivedEntry): void => {
    const reporter = reporterOf(entry)
    const known = reporters.get(reporter)
    if (known === undefined && reporters.size >= MOST_REPORTERS) {
      isComplete = false
      return
    }
    const place = known ?? { ...nothing(), reports: 0, latest: 0 }
    reporters.set(reporter, place)
    place.reports++
    place.latest = Math.max(place.latest, entry.receivedAt)
    plus(place, entry)
  }

  return {
    add: (entry) => {
      reports++
      plus(sessions, entry)
      addReporter(entry)
      const day = Math.floor(entry.start / DAY) * DAY
      for (const sum of entry.sums) addDomain(sum, day)
      for (const way of entry.ways) failures.add(way, entry)
      if (entry.otherWays > 0) isComplete = false
    },
    digest: () => {
      const { failures: all, isComplete: hasAll } = failures.all()
      return {
        reports,
        sessions: { ...sessions },
        domains: [...domains]
          .map(([domain, { days, ...sum }]) => ({ domain, ...sum, days: inOrder(days) }))
          .sort((a, b) => b.failures - a.failures || byDomain(a, b)),
        reporters: [...reporters]
          .map(([reporter, sum]) => ({ reporter, ...sum }))
          .sort((a, b) => b.failures - a.failures || b.reports - a.reports || b.latest - a.latest),
        failures: all,
        isComplete: isComplete && hasAll,
      }
    },
  }
}

function nothing(): Sum {
  return { successes: 0, failures: 0, fetchFailures: 0 }
}

function plus(sum: Sum, { successes, failures, fetchFailures }: Totals): void {
  sum.successes += successes
  sum.failures += failures
  sum.fetchFailures += fetchFailures
}

function inOrder(days: ReadonlyMap<number, Sum>): DomainDays['days'] {
  return [...days].sort(([a], [b]) => a - b).map(([day, sum]) => ({ day, ...sum }))
}
