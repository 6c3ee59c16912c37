/**
 * `outbound-tls analysis list`: the reports that others have sent.
 *
 * @module
 */

import type { ReceivedEntry } from '../lib/tlsrpt/received'
import { isoTime } from '../lib/time'
import { receivedView } from '../views'
import { DAYS, entriesOf, reporterText, withReceived } from './analysis'
import type { Command, Paint } from './command'
import { lastDays, readDays } from './numbers'
import { printable, wrap } from './text'

const MOST = 10_000

export const analysisList: Command = {
  name: ['analysis', 'list'],
  operands: [],
  summary: 'the TLS reports that others have sent',
  description: [
    'Lists the reports that count, the latest first: those that the domain which reports has signed, about domains of ' +
      'this site. With --unverified, those that do not count: nobody can tell who has written them, or they are about ' +
      'others. Few of these are kept.',
    'Sessions under several policies are not added up, so the numbers are what there was at least. Exits with 1 where ' +
      'there is no report. FETCHES says how many of the failures are of a policy that could not be fetched or read.',
  ],
  examples: [
    ['analysis list', 'those of the last 7 days'],
    ['analysis list --unverified', 'those that are not counted'],
    ['analysis list --days 30 --json', 'those of 30 days, for a program'],
  ],
  options: {
    days: DAYS,
    unverified: { type: 'boolean', help: 'those that do not count, instead of those that do' },
  },
  run: async (call) => {
    const days = readDays(call)
    if (typeof days !== 'number') return days
    const isCounted = call.options.unverified !== true
    return withReceived(call, async (store) => {
      const entries = await entriesOf(store, call.world, { days, isCounted, most: MOST })
      if ('problems' in entries) return entries
      return {
        code: entries.length === 0 ? 1 : 0,
        lines: entries.length === 0 ? nothing(days, isCounted) : table(entries, call.world.paint),
        json: { schema: 1, days, complete: entries.length < MOST, reports: entries.map(receivedView) },
      }
    })
  },
}

function nothing(days: number, isCounted: boolean): readonly string[] {
  const what = isCounted ? 'No report that counts' : 'No report that does not count'
  return wrap(`${what} was received in ${lastDays(days)}.`)
}

function table(entries: readonly ReceivedEntry[], paint: Paint): readonly string[] {
  const row = (id: string, received: string, ...counts: readonly string[]) =>
    `${id.padEnd(16)}  ${received.padEnd(20)}  ${counts.map((count) => count.padStart(9)).join('  ')}  `
  return [
    paint('bold', `${row('ID', 'RECEIVED', 'SUCCEEDED', 'FAILED', 'FETCHES')}FROM`),
    ...entries.map((entry) => {
      const { id, receivedAt, successes, failures, fetchFailures, domains } = entry
      const about = domains.length === 0 ? 'others' : domains.map(printable).join(', ')
      const line = `${row(id, isoTime(receivedAt), String(successes), String(failures), String(fetchFailures))}${reporterText(entry)} for ${about}`
      return failures === 0 ? line : paint('yellow', line)
    }),
  ]
}
