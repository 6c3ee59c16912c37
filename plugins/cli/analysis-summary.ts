/**
 * `outbound-tls analysis summary`: which of our hosts fails, how, since when, and who reports it.
 *
 * @module
 */

import {
  createSumming,
  type DomainSummary,
  type FailureSummary,
  type ReceivedStore,
  type Summary,
} from '../lib/tlsrpt/received'
import { isoTime } from '../lib/time'
import type { PolicySum } from '../lib/tlsrpt/parsing'
import { failureView } from '../views'
import { DAYS, entriesOf, fetchesText, sessions, unreadableReports, withReceived } from './analysis'
import type { Answer, Call, Command, Paint, Problem } from './command'
import { lastDays, readDays } from './numbers'
import { columns, printable, wrap } from './text'

const MOST_REPORTS = 50_000
const MOST_SHOWN = 50

export const analysisSummary: Command = {
  name: ['analysis', 'summary'],
  operands: [],
  summary: 'which of our hosts fails, how, since when, and who reports it',
  description: [
    'Adds up the reports that count. A session may be under several policies, as DANE and MTA-STS are, and in the ' +
      'numbers of each: those of two types are never added up.',
    'Exits with 1 where a failure was reported, or no report was received.',
  ],
  examples: [
    ['analysis summary', 'the last 7 days'],
    ['analysis summary --days 1 --json', 'the last day, for a program that watches'],
  ],
  options: { days: DAYS },
  run: async (call) => {
    const days = readDays(call)
    return typeof days === 'number' ? withReceived(call, (store) => summarize(call, store, days)) : days
  },
}

async function summarize(call: Call, store: ReceivedStore, days: number): Promise<Answer> {
  const summed = await sumUp(call, store, days)
  if ('problems' in summed) return summed
  const isWell = summed.reports > 0 && summed.failures.length === 0 && summed.domains.every(isFaultless)
  return {
    code: isWell ? 0 : 1,
    lines: page(summed, days, call.world.paint),
    json: summaryJson(summed, days),
  }
}

async function sumUp(call: Call, store: ReceivedStore, days: number): Promise<Summary | Problem> {
  const entries = await entriesOf(store, call.world, { days, isCounted: true, most: MOST_REPORTS })
  if ('problems' in entries) return entries
  const summing = createSumming()
  for (const [index, { id }] of entries.entries()) {
    if (index % 1000 === 999) call.world.progress(`Adding up ${entries.length} reports ...`)
    const report = await store.read(id)
    if (!report.ok) return unreadableReports(report)
    if (report.value !== undefined) summing.add(report.value)
  }
  return summing.summary()
}

function isFaultless({ sum }: DomainSummary): boolean {
  return Object.values(sum.byType).every(({ failures }) => failures === 0)
}

function page({ reports, domains, failures, isComplete }: Summary, days: number, paint: Paint): readonly string[] {
  const span = lastDays(days)
  if (reports === 0) return wrap(`No report that counts was received in ${span}.`)
  const left = failures.length - MOST_SHOWN
  return [
    `${reports} report${reports === 1 ? '' : 's'} received in ${span}`,
    ...domains.flatMap(({ domain, sum }) => [
      '',
      paint('bold', printable(domain)),
      ...columns(Object.entries(sum.byType).map(([type, one]) => [type, sumText(one)] as const)),
    ]),
    ...(failures.length === 0 ? [] : ['', paint('bold', 'Failures, the most frequent first')]),
    ...failures.slice(0, MOST_SHOWN).flatMap((failure) => failureLines(failure, paint)),
    ...(left > 0 ? [`  ... and ${left} more: see --json`] : []),
    ...(isComplete ? [] : ['  ... and more than anybody would look at']),
  ]
}

function sumText(sum: PolicySum): string {
  return `${sessions(sum.successes)} succeeded, ${sum.failures} failed${fetchesText(sum)}`
}

function failureLines(failure: FailureSummary, paint: Paint): readonly string[] {
  const { domain, type, host, result, reason, count, since, until, reporters } = failure
  const where = host === undefined ? '' : ` at ${host}`
  const why = reason === undefined ? '' : ` (${reason})`
  const text = `for ${domain}, ${type}, from ${day(since)} to ${day(until)}, ` + `says ${reporters.join(', ')}`
  return [
    ...wrap(printable(`${result}${where}: ${count}${why}`), '  ').map((line) => paint('yellow', line)),
    ...wrap(printable(text), '    '),
  ]
}

function day(time: number): string {
  return isoTime(time).slice(0, 10)
}

function summaryJson({ reports, domains, failures, isComplete }: Summary, days: number): Record<string, unknown> {
  return {
    schema: 1,
    days,
    reports,
    complete: isComplete,
    domains: domains.map(({ domain, sum }) => ({
      domain,
      policies: Object.entries(sum.byType).map(([type, { successes, failures: failed, fetchFailures, results }]) => ({
        type,
        successes,
        failures: failed,
        fetchFailures,
        results: Object.fromEntries(results),
      })),
      atLeast: sum.atLeast,
    })),
    failures: failures.map(failureView),
  }
}
