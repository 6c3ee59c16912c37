/**
 * `outbound-tls analysis show ID`: all that one report says.
 *
 * @module
 */

import type { KeptReport } from '../lib/tlsrpt/received'
import { isoTime } from '../lib/time'
import { sumOf, type ReceivedDetail, type ReceivedPolicy } from '../lib/tlsrpt/parsing'
import { receivedReportView } from '../views'
import { fetchesText, reporterText, sessions, unreadableReports, withReceived } from './analysis'
import type { Command, Paint } from './command'
import { columns, printable } from './text'

type Row = readonly [string, string]

export const analysisShow: Command = {
  name: ['analysis', 'show'],
  operands: ['ID'],
  summary: 'all that one report says',
  description: [
    'Shows a report with its policies, what failed under each of them, and what was bent about it. All of it is what ' +
      'the sender says. The id is that of analysis list and of the log.',
    'Exits with 1 where there is no such report.',
  ],
  examples: [['analysis show 0123456789abcdef', 'the report that the log calls so']],
  run: async (call) => {
    const [id = ''] = call.operands
    if (!/^[0-9a-f]{16}$/.test(id)) return { code: 2, problems: ['an id has 16 hexadecimal digits'] }
    return withReceived(call, async (store) => {
      const found = await store.read(id)
      if (!found.ok) return unreadableReports(found)
      const report = found.value
      if (report === undefined)
        return { code: 1, lines: [`There is no report ${id}.`], json: { schema: 1, report: null } }
      return { code: 0, lines: page(report, call.world.paint), json: { schema: 1, report: receivedReportView(report) } }
    })
  },
}

function page({ entry, report, ours, notes }: KeptReport, paint: Paint): readonly string[] {
  const { id, receivedAt, source, signedBy, isCounted, start, end } = entry
  const rows: Row[] = [
    ['from', reporterText(entry)],
    ['organization', printable(report.organization)],
    ['contact', printable(report.contact ?? 'none')],
    ['report-id', printable(report.reportId)],
    ['about', `${isoTime(start)} to ${isoTime(end)}`],
    ['received', `${isoTime(receivedAt)}, by ${source === 'mail' ? 'mail' : 'POST'}`],
    ['signed by', signedBy === undefined ? 'nobody that can be told' : printable(signedBy)],
    ['counted', isCounted ? 'yes' : 'no'],
    ...notes.map(({ code, text }): Row => ['note', `${code}: ${printable(text)}`]),
  ]
  const policies = report.policies.flatMap((policy, index) => ['', ...policyLines(policy, ours[index] === true, paint)])
  return [paint('bold', `TLS report ${id}`), ...columns(rows), ...policies]
}

function policyLines(policy: ReceivedPolicy, isOurs: boolean, paint: Paint): readonly string[] {
  const { type, domain = 'no domain', strings, mx, details } = policy
  const { successes = 0, failures = 0, fetchFailures = 0 } = sumOf([policy]).byType[type] ?? {}
  const rows: Row[] = [
    ['succeeded', sessions(successes)],
    ['failed', `${failures}${fetchesText({ fetchFailures })}`],
    ...strings.map((text): Row => ['policy', printable(text)]),
    ...mx.map((host): Row => ['mx', printable(host)]),
    ...details.map((detail): Row => [`${detail.count} x`, detailText(detail)]),
  ]
  const head = printable(`${domain}, ${type}${isOurs ? '' : ' (no domain of ours)'}`)
  return [paint(failures > 0 ? 'yellow' : 'bold', head), ...columns(rows)]
}

function detailText(detail: ReceivedDetail): string {
  const { type, reason, receivingHost, receivingAddress, sendingAddress } = detail
  const host = [receivingHost, receivingAddress && `[${receivingAddress}]`].filter(Boolean).join('')
  const parts = [type, host && `at ${host}`, sendingAddress && `from ${sendingAddress}`, reason && `(${reason})`]
  return printable(parts.filter(Boolean).join(' '))
}
