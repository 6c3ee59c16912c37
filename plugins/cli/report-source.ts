/**
 * The report on a domain and a period: what is frozen of it, or what it says as far as sessions are counted by now.
 *
 * @module
 */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { OutcomeStore } from '../lib/tlsrpt/counting'
import {
  compose,
  createSuppression,
  periodText,
  readPeriodText,
  type ReporterSettings,
  type ReportEntry,
  type ReportLedger,
} from '../lib/tlsrpt/sending'
import { missingForReports, reportRulesFor, type ReportSettings } from '../lib/settings'
import type { Done } from '../lib/store'
import { makeReportId, periodAt, type Period, type PolicyFacts, type Report } from '../lib/tlsrpt/format'
import { REPORT_FILE } from '../runtime/config'
import { createOutcomes } from '../runtime/stores'
import { periodView } from '../views'
import { errorText } from '../lib/error-text'
import type { Answer, Call, Problem } from './command'
import { instanceStoreContext, readReportFile } from './instance'
import { withLedger } from './report'
import { isMissing, unreadable } from './store'
import { printable, wrap } from './text'

/** A report, and where it is from. */
export interface FoundReport {
  readonly domain: string
  readonly period: Period
  /** in the ledger; undefined: it is not scheduled */
  readonly entry: ReportEntry | undefined
  /** true: these bytes are sent, or would be; false: composed just now */
  readonly isFrozen: boolean
  readonly report: Report
  /** the JSON as it is sent */
  readonly text: string
  /** gzip of it */
  readonly compressed: Uint8Array
  /** what would keep it from being sent, or make another one of it */
  readonly remarks: readonly string[]
}

const DAY = 86_400_000

const unzip = promisify(gunzip)

/** Finds the report that a call is about: its operand is the domain, `--period` says which one. */
export function withReport(
  call: Call,
  domain: string,
  work: (found: FoundReport) => Promise<Answer> | Answer,
): Promise<Answer> {
  return withLedger(call, { readOnly: true }, async (ledger, instance) => {
    const settings = await readReportFile(instance)
    if ('problems' in settings) return settings
    const outcomes = createOutcomes(instance.settings.store, { ...instanceStoreContext(instance), readOnly: true })
    try {
      const found = await find({ call, ledger, outcomes, settings, domain })
      if ('problems' in found || 'code' in found) return found
      return await work(found)
    } finally {
      outcomes.end()
    }
  })
}

interface Search {
  readonly call: Call
  readonly ledger: ReportLedger
  readonly outcomes: OutcomeStore
  readonly settings: ReportSettings
  readonly domain: string
}

async function find(search: Search): Promise<FoundReport | Answer> {
  const { ledger, domain } = search
  const wanted = await choose(search)
  if ('problems' in wanted) return wanted
  const { period, entry } = wanted
  const frozen: Done<Uint8Array | undefined> = entry ? await ledger.frozen(entry) : { ok: true, value: undefined }
  if (!frozen.ok) return unreadable('the reports', frozen)
  if (frozen.value !== undefined) return thaw(domain, period, entry, frozen.value)

  const policies = await search.outcomes.policiesOf(domain, period)
  if (!policies.ok) return unreadable('the outcomes', policies)
  if (policies.value.length === 0) return nothing(domain, period, entry)
  return composeNow(search, wanted, policies.value)
}

interface Wanted {
  readonly period: Period
  readonly entry: ReportEntry | undefined
}

/** The period of `--period`; else that of the latest report in the ledger; else the last one with sessions, or that which is under way. */
async function choose(search: Search): Promise<Wanted | Problem> {
  const { call, ledger, outcomes, settings, domain } = search
  const given = call.options.period
  const period = typeof given === 'string' ? readPeriodText(given) : undefined
  if (typeof given === 'string' && period === undefined) return noPeriod(given)
  const known = await entryOf(ledger, domain, period)
  if (!known.ok) return unreadable('the reports', known)
  const entry = known.value
  if (entry !== undefined && (period === undefined || isMeant(period, entry))) return { period: entry, entry }
  if (period !== undefined) return { period, entry: undefined }

  const { send } = reportRulesFor(settings, domain)
  const underWay = periodAt(send === 'never' ? 'daily' : send, call.world.now())
  const before = periodAt(send === 'never' ? 'daily' : send, underWay.start - 1)
  const counted = await outcomes.policiesOf(domain, before)
  if (!counted.ok) return unreadable('the outcomes', counted)
  return { period: counted.value.length > 0 ? before : underWay, entry: undefined }
}

function noPeriod(given: string): Problem {
  const forms = '2027-01-31, 2027-01-31T10Z or "2027-01-25 to 2027-01-31"'
  return { code: 2, problems: [`"${printable(given.slice(0, 100))}" is no period as report list shows it: ${forms}`] }
}

/** A week is known by its first day, too. */
function isMeant(period: Period, { start, end }: Period): boolean {
  return period.start === start && (period.end === end || (period.end < end && period.end - start === DAY))
}

/** An instance that sends no reports has no ledger, and may have counts all the same. */
async function entryOf(
  ledger: ReportLedger,
  domain: string,
  period: Period | undefined,
): Promise<Done<ReportEntry | undefined>> {
  if (period !== undefined) {
    const read = await ledger.read({ domain, start: period.start })
    return read.ok || !isMissing(read.text) ? read : { ok: true, value: undefined }
  }
  const listed = await ledger.list({ domain, limit: 1 })
  if (listed.ok) return { ok: true, value: listed.value[0] }
  return isMissing(listed.text) ? { ok: true, value: undefined } : listed
}

/** Only we write it; a file that somebody else has damaged may hold anything. */
async function readFrozen(compressed: Uint8Array): Promise<Done<{ readonly text: string; readonly report: Report }>> {
  try {
    const text = (await unzip(compressed)).toString()
    return { ok: true, value: { text, report: JSON.parse(text) as Report } }
  } catch (error) {
    return { ok: false, text: `it is damaged in the store: ${errorText(error)}` }
  }
}

async function thaw(
  domain: string,
  { start, end }: Period,
  entry: ReportEntry | undefined,
  compressed: Uint8Array,
): Promise<FoundReport | Problem> {
  const read = await readFrozen(compressed)
  if (!read.ok) return unreadable('the report', read)
  const { text, report } = read.value
  return { domain, period: { start, end }, entry, isFrozen: true, report, text, compressed, remarks: [] }
}

function nothing(domain: string, { start, end }: Period, entry: ReportEntry | undefined): Answer {
  const period = periodText({ start, end })
  const why = entry?.state === 'sent' ? ' any more: the report was sent, and its bytes are not kept' : ''
  return {
    code: 1,
    lines: wrap(`No session of ${period} with ${printable(domain)} is counted${why}.`),
    json: { schema: 1, domain, period: periodView({ start, end }), report: null },
  }
}

async function composeNow(
  search: Search,
  wanted: Wanted,
  policies: readonly PolicyFacts[],
): Promise<FoundReport | Problem> {
  const { settings, domain, call } = search
  const { entry } = wanted
  const { start, end } = wanted.period
  const reporter = reporterSettings(settings)
  const reportId = entry?.reportId ?? makeReportId(reporter.submitter, { start, end }, 'preview')
  try {
    const { report, text, compressed, folded, fits } = await compose(
      { domain, start, end, reportId },
      policies,
      reporter,
    )
    const remarks = [
      ...(end > call.world.now() ? ['The period is not over: more sessions may come.'] : []),
      ...(entry?.state === 'sent'
        ? ['The bytes that were sent are not kept: this is composed anew, from the counts.']
        : []),
      ...(await obstacles(search, policies)),
      ...(folded === 'nothing' ? [] : [`It is larger than max-size: ${folded} are folded.`]),
      ...(fits ? [] : ['It is larger than max-size even so, and would be given up.']),
    ]
    return { domain, period: { start, end }, entry, isFrozen: false, report, text, compressed, remarks }
  } catch (error) {
    return {
      code: 3,
      problems: [`the report cannot be composed: ${errorText(error)}`],
    }
  }
}

/** What would keep a report from being sent, as far as that is known without a look-up. */
async function obstacles(
  { settings, ledger, domain }: Search,
  policies: readonly PolicyFacts[],
): Promise<readonly string[]> {
  const { send, when } = reportRulesFor(settings, domain)
  const missing = missingForReports(settings)
  const suppressions = await ledger.suppressions()
  const patterns = [...settings.suppress, ...(suppressions.ok ? suppressions.value.map(({ pattern }) => pattern) : [])]
  const pattern = createSuppression(patterns).domain(domain)
  return [
    ...(missing.length === 0
      ? []
      : [`${REPORT_FILE} lacks ${missing.join(', ')}: nothing is sent, and what stands for them here is made up.`]),
    ...(send === 'never' ? ['send = never: it would not be sent.'] : []),
    ...(pattern === undefined ? [] : [`${pattern} is suppressed: it would not be sent.`]),
    ...(when === 'failures' && policies.every(({ failures }) => failures === 0)
      ? ['when = failures, and there are none: it would not be sent.']
      : []),
  ]
}

/** As the plugin has them; what is missing is made up, so that there is something to look at. */
function reporterSettings(settings: ReportSettings): ReporterSettings {
  const { rules, domains, spread, retryFor, suppress, orgName, contactInfo, submitter } = settings
  const organization = orgName ?? 'example.invalid'
  return {
    ...rules,
    ...{ organization, domains, spread, retryFor, suppress },
    contact: contactInfo ?? 'tls@example.invalid',
    submitter: submitter ?? 'example.invalid',
  }
}
