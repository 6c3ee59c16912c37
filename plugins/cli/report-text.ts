/**
 * A report as text, for people.
 *
 * @module
 */

import { periodText, type ReportEntry } from '../lib/tlsrpt/sending'
import type { FailureDetail, PolicyReport, Report } from '../lib/tlsrpt/format'
import type { Paint } from './command'
import { countsText, entryLines, listHead } from './report'
import type { FoundReport } from './report-source'
import { columns, printable, wrap } from './text'

export function reportLines(found: FoundReport, now: number, paint: Paint): readonly string[] {
  const { domain, period, entry, isFrozen, report, remarks } = found
  const rows: (readonly [string, string])[] = [
    ['reported by', `${report['organization-name']}, ${report['contact-info']}`],
    ['report id', report['report-id']],
    ['begins', report['date-range']['start-datetime']],
    ['ends', report['date-range']['end-datetime']],
    ['composed', isFrozen ? 'as it is sent, byte for byte' : 'just now, from what is counted'],
    ['sessions', countsText(countsOf(report.policies))],
  ]
  return [
    paint('bold', `TLS report on ${printable(domain)} for ${periodText(period)}`),
    ...columns(rows.map(([name, value]) => [name, printable(value)])),
    ...report.policies.flatMap((policy) => ['', ...policyLines(policy, paint)]),
    ...(remarks.length === 0
      ? []
      : ['', ...remarks.flatMap((remark) => wrap(printable(remark)).map((line) => paint('yellow', line)))]),
    ...entryText(entry, now, paint),
  ]
}

function entryText(entry: ReportEntry | undefined, now: number, paint: Paint): readonly string[] {
  return entry === undefined ? [] : ['', listHead(paint), ...entryLines(entry, now, paint)]
}

export function countsOf(policies: Report['policies']): { readonly successful: number; readonly failed: number } {
  const sum = (count: (policy: PolicyReport) => number): number =>
    policies.reduce((total, one) => total + count(one), 0)
  return {
    successful: sum(({ summary }) => summary['total-successful-session-count']),
    failed: sum(({ summary }) => summary['total-failure-session-count']),
  }
}

function policyLines(report: PolicyReport, paint: Paint): readonly string[] {
  const { policy } = report
  const strings = policy['policy-string'] ?? []
  const mx = policy['mx-host'] ?? []
  return [
    paint('bold', printable(`${policy['policy-type']} ${policy['policy-domain']}`)),
    `  sessions: ${countsText(countsOf([report]))}`,
    ...columns([...named('policy', strings), ...named('mx', mx)]),
    ...report['failure-details'].flatMap(detailLines),
  ]
}

function named(name: string, values: readonly string[]): readonly (readonly [string, string])[] {
  return values.map((value, index) => [index === 0 ? name : '', printable(value)])
}

function detailLines(detail: FailureDetail): readonly string[] {
  const { 'receiving-mx-hostname': host, 'receiving-ip': address, 'sending-mta-ip': from } = detail
  const reason = detail['failure-reason-code']
  const receiver = [host, address === undefined ? undefined : `[${address}]`].filter((part) => part !== undefined)
  const text = [
    `${detail['failed-session-count']} failed: ${detail['result-type']}`,
    ...(reason === undefined || reason === detail['result-type'] ? [] : [`(${reason})`]),
    ...(receiver.length === 0 ? [] : [`at ${receiver.join(' ')}`]),
    ...(from === undefined ? [] : [`from ${from}`]),
  ].join(' ')
  return wrap(printable(text), '  ').map((line, index) => (index === 0 ? line : `  ${line}`))
}
