/**
 * A report in words, for people who open its mail.
 *
 * @module
 */

import { gunzipSync } from 'node:zlib'
import type { FailureDetail, PolicyReport, Report } from '../format'

/** What a report takes that is told in words: bytes, with gzip and without. Nobody reads a larger one so. */
const LARGEST = 64 * 1024
const LARGEST_TEXT = 1024 * 1024
const MOST_POLICIES = 20
const MOST_FAILURES = 10
const LONGEST_LINE = 200

/**
 * The totals of a report, its policies, and what failed under each.
 *
 * @param frozen - the report as it is sent: gzip
 * @returns lines of printable US-ASCII; none where the report is too large to be told so
 */
export function reportInWords(frozen: Uint8Array): readonly string[] {
  const policies = policiesIn(frozen)
  if (policies === undefined || policies.length === 0) return []
  const { successes, failures } = totalOf(policies)
  return [
    `Sessions: ${successes} succeeded, ${failures} failed${policies.length === 1 ? '' : ', those under two policies counted for each'}.`,
    ...policies.slice(0, MOST_POLICIES).flatMap((policy) => ['', ...policyLines(policy)]),
    ...more(policies.length - MOST_POLICIES, 'policies', ''),
  ].map(asLine)
}

function policiesIn(frozen: Uint8Array): Report['policies'] | undefined {
  if (frozen.length > LARGEST) return undefined
  try {
    const report = JSON.parse(gunzipSync(frozen, { maxOutputLength: LARGEST_TEXT }).toString()) as Report
    return report.policies
  } catch {
    return undefined // larger than that
  }
}

function totalOf(policies: readonly PolicyReport[]): { readonly successes: number; readonly failures: number } {
  const sum = (count: (summary: PolicyReport['summary']) => number): number =>
    policies.reduce((total, { summary }) => total + count(summary), 0)
  return {
    successes: sum((summary) => summary['total-successful-session-count']),
    failures: sum((summary) => summary['total-failure-session-count']),
  }
}

function policyLines(report: PolicyReport): readonly string[] {
  const { policy } = report
  const { successes, failures } = totalOf([report])
  const details = report['failure-details'].toSorted((a, b) => b['failed-session-count'] - a['failed-session-count'])
  return [
    `${KINDS[policy['policy-type']]} ${policy['policy-domain']}: ${successes} succeeded, ${failures} failed`,
    ...details.slice(0, MOST_FAILURES).map(detailLine),
    ...more(details.length - MOST_FAILURES, 'kinds of failures', '  '),
  ]
}

const KINDS: Readonly<Record<PolicyReport['policy']['policy-type'], string>> = {
  tlsa: 'DANE, TLSA records of',
  sts: 'MTA-STS policy of',
  'no-policy-found': 'No policy of',
}

function detailLine(detail: FailureDetail): string {
  const host = detail['receiving-mx-hostname'] ?? detail['receiving-ip']
  return `  ${detail['failed-session-count']} ${detail['result-type']}${host === undefined ? '' : ` at ${host}`}`
}

function more(left: number, what: string, indentation: string): readonly string[] {
  return left > 0 ? [`${indentation}... and ${left} more ${what}`] : []
}

/** Names come from strangers: they begin no line and no header. */
function asLine(text: string): string {
  return text.slice(0, LONGEST_LINE).replace(/[^\x20-\x7e]/g, '?')
}
