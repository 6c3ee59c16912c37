/**
 * What is logged of reports: a line for each policy, with what it comes to. All text of theirs is quoted, all of it is short.
 *
 * @module
 */

import { quote } from '../lib/dns'
import type { KeptReport } from '../lib/tlsrpt/received'
import { isoTime } from '../lib/time'
import { sumOf, type ReceivedPolicy } from '../lib/tlsrpt/parsing'

export interface LogLine {
  readonly level: 'warn' | 'info'
  readonly text: string
}

const MOST_LINES = 20
/** of what anyone may have written */
const MOST_LINES_APART = 3
const MOST_RESULTS = 5

/**
 * The lines about a report that is new.
 *
 * @param why - it does not count, if it does not, and not because of whom it is about
 */
export function reportLines({ entry, report, ours }: KeptReport, why: string): readonly LogLine[] {
  const { id, isCounted, signedBy, organization, start, end } = entry
  const head = `TLS report ${id} of ${signedBy ?? quote(organization)}`
  const policies = report.policies.filter((_policy, index) => ours[index])
  if (policies.length === 0) {
    const about = report.policies.flatMap(({ domain }) => domain ?? []).slice(0, MOST_RESULTS)
    return [{ level: 'info', text: `${head} is not counted: about no domain of ours (${about.join(', ') || 'none'})` }]
  }
  const counts = isCounted ? '' : `, not counted: ${why}`
  const lines = policies.slice(0, isCounted ? MOST_LINES : MOST_LINES_APART).map((policy): LogLine => {
    const { failed, text } = policyText(policy)
    const { type, domain = '' } = policy
    return {
      // what anyone may have written raises no alarm
      level: failed && isCounted ? 'warn' : 'info',
      text: `${head} for ${domain}, ${type}, ${isoTime(start)} to ${isoTime(end)}: ${text}${counts}`,
    }
  })
  const more = policies.length - lines.length
  return more === 0 ? lines : [...lines, { level: 'info', text: `${head}: ${more} more policies` }]
}

function policyText(policy: ReceivedPolicy): { readonly failed: boolean; readonly text: string } {
  const sum = sumOf([policy]).byType[policy.type]
  const { successes = 0, failures = 0, fetchFailures = 0, results = new Map<string, number>() } = sum ?? {}
  const ofFetches = fetchFailures === 0 ? '' : `, ${fetchFailures} of them to fetch the policy`
  const common = [...results].toSorted(([, a], [, b]) => b - a)
  const named = common.slice(0, MOST_RESULTS).map(([type, count]) => `${resultText(type)} ${count}`)
  const left = common.length > named.length ? ', …' : ''
  const how = named.length === 0 ? '' : ` (${named.join(', ')}${left})`
  return {
    failed: failures > 0,
    text: `${successes} session${successes === 1 ? '' : 's'} succeeded, ${failures} failed${ofFetches}${how}`,
  }
}

/** An unknown type is the sender's own word. */
function resultText(type: string): string {
  return /^[a-z-]{1,40}$/.test(type) ? type : quote(type)
}
