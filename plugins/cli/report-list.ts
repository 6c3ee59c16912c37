/**
 * `outbound-tls report list`: which TLS reports are to be sent, and what became of those that were.
 *
 * @module
 */

import type { ReportEntry, ReportLedger, ReportState } from '../lib/tlsrpt/sending'
import type { Done } from '../lib/store'
import { eachEntry, type Paging } from '../runtime/paging'
import { reportView } from '../views'
import type { Answer, Call, Command, Problem } from './command'
import { readDomain } from './domain'
import { readNumber } from './numbers'
import { entryLines, listHead, STATES, withLedger } from './report'
import { unreadable } from './store'
import { printable } from './text'

const USUALLY = 100
const MOST = 100_000
/** How many are asked for at once. */
const PAGE = 500

export const reportList: Command = {
  name: ['report', 'list'],
  operands: [],
  summary: 'the TLS reports that wait, were sent, or were not',
  description: [
    'Lists the reports that are scheduled, being sent, sent, given up or not wanted, the latest period first: when they ' +
      'are due, what became of each destination, and why. Of the reports on one domain that nobody wants only the latest ' +
      'is kept.',
    'Exits with 1 where there is none.',
  ],
  examples: [
    ['report list', 'the latest ones'],
    ['report list --state given-up --state sending', 'those that are in trouble, or on their way'],
    ['report list --domain example.org --json', 'all about one domain, for a program'],
  ],
  options: {
    state: { type: 'string', multiple: true, value: 'STATE', values: STATES, help: `${STATES.join(', ')}; repeatable` },
    domain: { type: 'string', value: 'DOMAIN', help: 'only reports on this domain' },
    limit: { type: 'string', value: 'N', help: `how many at most; default: ${USUALLY}` },
  },
  run: async (call) => {
    const query = readQuery(call)
    if ('problems' in query) return query
    return withLedger(call, { readOnly: true }, async (ledger) => {
      const listed = await listPages(ledger, query)
      return listed.ok ? answer(call, listed.value, query.limit) : unreadable('the reports', listed)
    })
  },
}

interface Query {
  readonly states?: readonly ReportState[]
  readonly domain?: string
  readonly limit: number
}

function readQuery({ options }: Call): Query | Problem {
  const states = (options.state ?? []) as readonly string[]
  const unknown = states.find((state) => !STATES.some((known) => known === state))
  if (unknown !== undefined)
    return { code: 2, problems: [`"${printable(unknown.slice(0, 100))}" is none of ${STATES.join(', ')}`] }
  const limit = readNumber(options.limit ?? String(USUALLY), MOST)
  if (limit === undefined) return { code: 2, problems: [`--limit takes a whole number from 1 to ${MOST}`] }
  const domain = typeof options.domain === 'string' ? readDomain(options.domain) : undefined
  if (typeof domain === 'object') return domain
  return {
    ...(states.length > 0 && { states: states as readonly ReportState[] }),
    ...(domain !== undefined && { domain }),
    limit,
  }
}

/** One more than are wanted, where there are more. */
async function listPages(ledger: ReportLedger, { limit, ...query }: Query): Promise<Done<readonly ReportEntry[]>> {
  const entries: ReportEntry[] = []
  const read: Paging<ReportEntry>['read'] = (after, limit) => ledger.list({ ...query, ...(after && { after }), limit })
  const done = await eachEntry({ size: PAGE, most: limit + 1, read }, (entry) => entries.push(entry))
  return done.ok ? { ok: true, value: entries } : done
}

function answer({ world: { now, paint } }: Call, found: readonly ReportEntry[], limit: number): Answer {
  const entries = found.slice(0, limit)
  const isAll = found.length <= limit
  const more = isAll ? [] : ['', `There are more: --limit N shows more than ${limit}.`]
  return {
    code: entries.length === 0 ? 1 : 0,
    lines:
      entries.length === 0
        ? ['There is no such report.']
        : [listHead(paint), ...entries.flatMap((entry) => entryLines(entry, now(), paint)), ...more],
    json: { schema: 1, reports: entries.map(reportView), all: isAll },
  }
}
