/**
 * `outbound-tls report show DOMAIN`: what a report says, or would say.
 *
 * @module
 */

import type { Command, Option } from './command'
import { periodView, reportView } from '../views'
import { withDomain } from './domain'
import { withReport } from './report-source'
import { reportLines } from './report-text'

export const PERIOD_OPTION: Option = {
  type: 'string',
  value: 'PERIOD',
  help: 'as report list shows it: 2027-01-31, 2027-01-31T10Z, "2027-01-25 to 2027-01-31"; default: the latest report',
}

export const reportShow: Command = {
  name: ['report', 'show'],
  operands: ['DOMAIN'],
  summary: 'what the report on a domain says, or would say',
  description: [
    'Shows the latest report on a domain: as it is sent, byte for byte, while that is kept, otherwise composed from the ' +
      'sessions that are counted. Where none is scheduled yet, it shows what the next one would say by now. Nothing is ' +
      'looked up, changed or sent.',
    'Says what would keep it from being sent, too. Exits with 1 where no session is counted.',
  ],
  examples: [
    ['report show example.org', 'the latest one'],
    ['report show example.org --period 2027-01-31', 'that of a certain day, today for one: as far as it is counted'],
    ['report show example.org --json | jq .report', 'its very JSON'],
  ],
  options: { period: PERIOD_OPTION },
  run: (call) =>
    withDomain(call, (domain) =>
      withReport(call, domain, (found) => ({
        code: 0,
        lines: reportLines(found, call.world.now(), call.world.paint),
        json: {
          schema: 1,
          domain,
          period: periodView(found.period),
          frozen: found.isFrozen,
          remarks: found.remarks,
          entry: found.entry === undefined ? null : reportView(found.entry),
          report: found.report,
        },
      })),
    ),
}
