/**
 * `outbound-tls report send DOMAIN`: a worker sends what waits for a domain, now. The command only asks for it, and waits; or it writes
 * a report to a file, and sends nothing.
 *
 * @module
 */

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ReportEntry, ReportLedger } from '../lib/tlsrpt/sending'
import type { Done } from '../lib/store'
import { periodView, reportView } from '../views'
import type { Answer, Call, Command } from './command'
import { withDomain } from './domain'
import { entryLines, listHead, withLedger } from './report'
import { PERIOD_OPTION } from './report-show'
import { withReport, type FoundReport } from './report-source'
import { unreadable } from './store'
import { printable, wrap } from './text'

/** How often the store is looked at; how long until a worker must have taken the request, and has had time to send: milliseconds. */
const LOOK_EVERY = 200
const TAKEN_WITHIN = 15_000
const SETTLED_WITHIN = 10_000
/** Of one domain, the latest first. */
const MOST_REPORTS = 1000

export const reportSend: Command = {
  name: ['report', 'send'],
  operands: ['DOMAIN'],
  summary: 'send what waits for a domain now, or write it to a file',
  description: [
    'Has a worker of the running Haraka send the reports on a domain that wait for their time or their next attempt, and ' +
      'try those again that were given up or not wanted. What was sent is not sent again. Waits until a worker has taken ' +
      'it, and says what has become of the reports by then.',
    'With --to, the report that report show shows is written to a file, as JSON or, where the name ends in .gz, as it is ' +
      'sent; nothing is sent, and no file is overwritten.',
    'Exits with 1 where there is nothing to send, or no worker has taken the request within 15 seconds. It is then left in ' +
      'the store, and taken by the next worker that sends reports.',
  ],
  examples: [
    ['report send example.org', 'send now what would be sent later'],
    ['report send example.org --to report.json', 'a dry run: see what would be sent'],
    ['report send example.org --period 2027-01-31 --to report.json.gz', 'the report on a certain day, compressed'],
  ],
  options: {
    to: { type: 'string', value: 'FILE', help: 'write the report to this file, .json or .json.gz, and send nothing' },
    'no-wait': { type: 'boolean', help: 'do not wait until a worker has taken it' },
    period: { ...PERIOD_OPTION, help: `with --to: ${PERIOD_OPTION.help}` },
  },
  run: (call) =>
    withDomain(call, (domain) => {
      const { to, period } = call.options
      if (typeof to === 'string') return toFile(call, domain, to)
      if (period !== undefined)
        return { code: 2, problems: ['--period is for --to: all that waits for a domain is sent at once'] }
      return withLedger(call, { readOnly: false }, (ledger) => sendNow(call, ledger, domain))
    }),
}

function toFile(call: Call, domain: string, file: string): Answer | Promise<Answer> {
  if (!/\.json(\.gz)?$/.test(file))
    return { code: 2, problems: ['--to: the name of a file that ends in .json or .json.gz'] }
  return withReport(call, domain, async (found) => {
    const path = resolve(call.world.cwd, file)
    const bytes = file.endsWith('.gz') ? found.compressed : Buffer.from(found.text)
    try {
      await writeFile(path, bytes, { flag: 'wx' })
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
      const why = isThere ? 'there is such a file, and none is overwritten' : String(error)
      return { code: 3, problems: [`${printable(path)}: ${printable(why)}`] }
    }
    return written(found, path, bytes.length)
  })
}

function written({ domain, period, isFrozen, remarks }: FoundReport, file: string, bytes: number): Answer {
  const view = periodView(period)
  return {
    code: 0,
    lines: [
      ...wrap(
        `The report on ${printable(domain)} for ${view.text} is in ${printable(file)}, ${bytes} bytes. Nothing was sent.`,
      ),
      ...remarks.flatMap((remark) => wrap(printable(remark))),
    ],
    json: { schema: 1, domain, result: 'written', period: view, frozen: isFrozen, remarks, file, bytes },
  }
}

/** `taken`: by a worker; `requested`, `not-taken`: left in the store; `nothing`: nothing waits, so that nothing was asked for. */
type Result = 'taken' | 'requested' | 'not-taken' | 'nothing'

async function sendNow(call: Call, ledger: ReportLedger, domain: string): Promise<Answer> {
  const { now, complain } = call.world
  const before = await ledger.list({ domain, limit: MOST_REPORTS })
  if (!before.ok) return unreadable('the reports', before)
  const waiting = before.value.filter(({ state }) => state !== 'sent')
  if (waiting.length === 0) return answer(call, 'nothing', domain, before.value.slice(0, 1))

  const requested = await ledger.requestSend({ domain, at: now() })
  if (!requested.ok) return unreadable('the reports', requested)
  if (call.options['no-wait'] === true) return answer(call, 'requested', domain, waiting)
  complain(`Waiting for a worker to take the reports on ${domain} ...`)
  const taken = await isTaken(call, ledger, domain)
  if (!taken.ok) return unreadable('the reports', taken)
  if (!taken.value) return answer(call, 'not-taken', domain, waiting)
  const after = await settled(call, ledger, waiting)
  return after.ok ? answer(call, 'taken', domain, after.value) : unreadable('the reports', after)
}

async function isTaken(
  { world: { clock, sleep } }: Call,
  ledger: ReportLedger,
  domain: string,
): Promise<Done<boolean>> {
  const start = clock()
  for (;;) {
    await sleep(LOOK_EVERY)
    const requested = await ledger.isSendRequested(domain)
    if (!requested.ok) return requested
    if (!requested.value) return { ok: true, value: true }
    if (clock() - start > TAKEN_WITHIN) return { ok: true, value: false }
  }
}

/** The reports as they are when each has been tried, or after some seconds. */
async function settled(
  { world: { clock, sleep, now } }: Call,
  ledger: ReportLedger,
  entries: readonly ReportEntry[],
): Promise<Done<readonly ReportEntry[]>> {
  const start = clock()
  for (;;) {
    await sleep(LOOK_EVERY)
    const current: ReportEntry[] = []
    for (const entry of entries) {
      const read = await ledger.read(entry)
      if (!read.ok) return read
      if (read.value !== undefined) current.push(read.value)
    }
    if (clock() - start > SETTLED_WITHIN || !current.some((entry) => isUnderWay(entry, entries, now())))
      return { ok: true, value: current }
  }
}

function isUnderWay(entry: ReportEntry, before: readonly ReportEntry[], now: number): boolean {
  const was = before.find(({ start }) => start === entry.start)
  return (
    entry.version === was?.version || entry.dueAt <= now || entry.destinations.some(({ state }) => state === 'trying')
  )
}

function answer(
  { world: { now, paint } }: Call,
  result: Result,
  domain: string,
  entries: readonly ReportEntry[],
): Answer {
  return {
    code: result === 'taken' || result === 'requested' ? 0 : 1,
    lines: [
      ...wrap(text(result, domain, entries)),
      ...(entries.length === 0
        ? []
        : ['', listHead(paint), ...entries.flatMap((entry) => entryLines(entry, now(), paint))]),
    ],
    json: { schema: 1, domain, result, reports: entries.map(reportView) },
  }
}

function text(result: Result, domain: string, entries: readonly ReportEntry[]): string {
  switch (result) {
    case 'taken':
      return 'A worker has taken the request. The reports as they are now:'
    case 'requested':
      return 'A worker that sends reports will take the request within seconds. The reports as they are now:'
    case 'not-taken':
      return (
        'No worker has taken the request. Is Haraka running, with the plugin outbound-tls/plugins/report, and is nothing ' +
        'missing in its configuration? It is left in the store, and taken by the next worker that sends reports.'
      )
    case 'nothing':
      return entries.length === 0
        ? `No report on ${domain} is scheduled: a period is reported when it is over. With --to you get a preview.`
        : `All reports on ${domain} are sent; the latest:`
  }
}
