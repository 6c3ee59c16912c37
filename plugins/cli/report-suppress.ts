/**
 * `outbound-tls report suppress [PATTERN]`: who gets no report, whatever is published.
 *
 * @module
 */

import { readSuppressPattern, type ReportSettings } from '../lib/settings'
import type { ReportLedger } from '../lib/tlsrpt/sending'
import { isoTime } from '../lib/time'
import type { Answer, Call, Command, Problem } from './command'
import { REPORT_FILE } from '../runtime/config'
import { readReportFile } from './instance'
import { withLedger } from './report'
import { unreadable } from './store'
import { columns, printable, wrap } from './text'

export const reportSuppress: Command = {
  name: ['report', 'suppress'],
  operands: ['[PATTERN]'],
  summary: 'domains, hosts and addresses that get no report',
  description: [
    'Adds a pattern to those that get no report, or takes one away; without a pattern, shows all. A pattern is a domain, ' +
      'example.org or *.example.org, that is reported on or that a destination is at, or a mail address.',
    `It is kept in the store: running workers follow within seconds, on all hosts. What suppress[] of ${REPORT_FILE} has ` +
      'is shown here, and changed there.',
    'Exits with 1 where there is none, or none to be taken away.',
  ],
  examples: [
    ['report suppress', 'show who gets none'],
    ['report suppress "*.example.org"', 'no reports on, or to, what is below example.org'],
    ['report suppress --remove tls@example.org', 'reports to this address again'],
  ],
  options: { remove: { type: 'boolean', help: 'take the pattern away' } },
  run: async (call) => {
    const [given] = call.operands
    const isRemoval = call.options.remove === true
    if (given === undefined && isRemoval) return { code: 2, problems: ['--remove: which pattern?'] }
    const pattern = given === undefined ? undefined : readSuppressPattern(given)
    if (given !== undefined && pattern === undefined) return noPattern(given)
    return withLedger(call, { readOnly: pattern === undefined }, async (ledger, instance) => {
      const settings = await readReportFile(instance)
      if ('problems' in settings) return settings
      if (pattern === undefined) return showAll(ledger, settings)
      return isRemoval ? remove(ledger, settings, pattern) : add(call, ledger, settings, pattern)
    })
  },
}

function noPattern(given: string): Problem {
  const wanted = 'a domain, *. and a domain, or a mail address'
  return { code: 2, problems: [`"${printable(given.slice(0, 300))}" is no pattern: ${wanted}`] }
}

async function showAll(ledger: ReportLedger, { suppress }: ReportSettings): Promise<Answer> {
  const kept = await ledger.suppressions()
  if (!kept.ok) return unreadable('the reports', kept)
  const isEmpty = kept.value.length + suppress.length === 0
  return {
    code: isEmpty ? 1 : 0,
    lines: isEmpty
      ? ['Nobody is suppressed.']
      : columns(
          [
            ...kept.value.map(({ pattern, since }) => [printable(pattern), `since ${isoTime(since)}`] as const),
            ...suppress.map((pattern) => [printable(pattern), `suppress[] of ${REPORT_FILE}`] as const),
          ],
          0,
        ),
    json: {
      schema: 1,
      suppressions: [
        ...kept.value.map(({ pattern, since }) => ({ pattern, from: 'store', since: isoTime(since) })),
        ...suppress.map((pattern) => ({ pattern, from: 'file', since: null })),
      ],
    },
  }
}

async function add(call: Call, ledger: ReportLedger, { suppress }: ReportSettings, pattern: string): Promise<Answer> {
  const added = await ledger.suppress(pattern, call.world.now())
  if (!added.ok) return unreadable('the reports', added)
  const also = suppress.includes(pattern) ? ` ${REPORT_FILE} has it in suppress[], too.` : ''
  return {
    code: 0,
    lines: wrap(`${printable(pattern)} gets no reports from now on.${also}`),
    json: { schema: 1, pattern, result: 'suppressed' },
  }
}

async function remove(ledger: ReportLedger, { suppress }: ReportSettings, pattern: string): Promise<Answer> {
  const removed = await ledger.unsuppress(pattern)
  if (!removed.ok) return unreadable('the reports', removed)
  const isInFile = suppress.includes(pattern)
  const said = removed.value ? `${printable(pattern)} is taken away.` : `${printable(pattern)} was not added here.`
  const also = isInFile ? ` ${REPORT_FILE} has it in suppress[]: it gets no reports until that is changed.` : ''
  return {
    code: removed.value && !isInFile ? 0 : 1,
    lines: wrap(said + also),
    json: { schema: 1, pattern, result: removed.value ? 'removed' : 'none', inFile: isInFile },
  }
}
