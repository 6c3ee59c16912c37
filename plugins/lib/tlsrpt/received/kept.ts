/**
 * A report as it is kept, and what tells it from all others.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { sumOf, type Note, type ReceivedPolicy, type ReceivedReport, type Totals } from '../parsing'

/** What is known about a report without looking into it. Times are milliseconds since 1970. */
export interface ReceivedEntry extends Totals {
  /** 16 hexadecimal digits */
  readonly id: string
  readonly receivedAt: number
  readonly source: 'mail' | 'https'
  /** the domain whose signature makes it count; undefined: anyone may have written it */
  readonly signedBy: string | undefined
  /** false: it is kept apart, with few others, and part of no sum */
  readonly isCounted: boolean
  /** in the sender's words, as are contact and reportId: to be escaped wherever they are shown */
  readonly organization: string
  readonly contact: string | undefined
  readonly reportId: string
  readonly start: number
  readonly end: number
  /** the policy domains of ours that it is about, at most {@link MOST_DOMAINS} of them */
  readonly domains: readonly string[]
  /** the totals, at least so many since policies overlap, for each of these domains by itself */
  readonly sums: readonly DomainSum[]
  /** how they failed: the most frequent first, at most {@link MOST_WAYS} of them */
  readonly ways: readonly FailureWay[]
  /** failures of the ways beyond */
  readonly otherWays: number
}

export interface DomainSum extends Totals {
  readonly domain: string
}

/** Sessions that failed alike, whatever their addresses. */
export interface FailureWay {
  /** the policy domain */
  readonly domain: string
  readonly type: ReceivedPolicy['type']
  /** the MX host, by name or address; left out: the report does not say, or there was none */
  readonly host?: string
  readonly result: string
  readonly reason?: string
  readonly count: number
}

/** A report with all that was said. */
export interface KeptReport {
  readonly entry: ReceivedEntry
  readonly report: ReceivedReport
  /** of each policy of the report, whether it is about us */
  readonly ours: readonly boolean[]
  readonly notes: readonly Note[]
}

/** A report that has arrived. */
export interface Arrival {
  readonly report: ReceivedReport
  readonly notes: readonly Note[]
  readonly receivedAt: number
  readonly source: ReceivedEntry['source']
  readonly signedBy: string | undefined
}

const MOST_DOMAINS = 10
const MOST_WAYS = 10

/**
 * Makes of an arrival what is kept of it.
 *
 * @param isOurs - see {@link createOursTest}
 * @param requiresSignature - whether only signed reports count (V1)
 */
export function keep(
  { report, notes, receivedAt, source, signedBy }: Arrival,
  isOurs: (policy: ReceivedPolicy) => boolean,
  requiresSignature: boolean,
): KeptReport {
  const ours = report.policies.map(isOurs)
  const policies = report.policies.filter((_policy, index) => ours[index])
  const domains = [...new Set(policies.flatMap(({ domain }) => domain ?? []))].sort().slice(0, MOST_DOMAINS)
  const { organization, contact, reportId, start, end } = report
  const isCounted = policies.length > 0 && (signedBy !== undefined || !requiresSignature)
  const id = idOf(report, signedBy, isCounted)
  const sums = domains.map((domain) => ({
    domain,
    ...sumOf(policies.filter((policy) => policy.domain === domain)).atLeast,
  }))
  const all = waysOf(policies)
  const ways = all.slice(0, MOST_WAYS)
  const otherWays = all.slice(MOST_WAYS).reduce((sum, { count }) => sum + count, 0)
  const said = { organization, contact, reportId, start, end, domains, ...sumOf(policies).atLeast }
  const entry = { id, receivedAt, source, signedBy, isCounted, ...said, sums, ways, otherWays }
  return { entry, report, ours, notes }
}

/** Failures that no detail says anything about: a way to fail as well. */
const WITHOUT_DETAILS = 'without-details'

/** How the sessions of some policies failed. Details that differ in addresses only are one way to fail. The most frequent first. */
export function waysOf(policies: readonly ReceivedPolicy[]): readonly FailureWay[] {
  const ways = new Map<string, FailureWay>()
  const add = (way: FailureWay): void => {
    const key = JSON.stringify([way.domain, way.type, way.host, way.result, way.reason])
    ways.set(key, { ...way, count: way.count + (ways.get(key)?.count ?? 0) })
  }
  for (const { domain = '', type, details, failures } of policies) {
    let left = failures
    for (const { receivingHost, receivingAddress, type: result, reason, count } of details) {
      const host = receivingHost ?? receivingAddress
      add({ domain, type, ...(host && { host }), result, ...(reason && { reason }), count })
      left -= count
    }
    if (left > 0) add({ domain, type, result: WITHOUT_DETAILS, count: left })
  }
  return [...ways.values()].sort((a, b) => b.count - a.count)
}

/**
 * V5: a report is the same as another of the same signer with the same id. Who has not signed has no say in what is a repetition of a
 * signed one, and one that does not count hides none that does.
 */
function idOf({ contactDomain, reportId }: ReceivedReport, signedBy: string | undefined, isCounted: boolean): string {
  const signer = signedBy === undefined ? ['unsigned', contactDomain ?? ''] : ['signed', signedBy]
  const text = JSON.stringify([...signer, isCounted, reportId])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
