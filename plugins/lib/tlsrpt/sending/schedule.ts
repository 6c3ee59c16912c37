/**
 * Hours are closed, and the reports on the periods that are over by then are scheduled.
 *
 * @module
 */

import { HOUR } from '../../time'
import type { OutcomeStore } from '../counting'
import type { Done, Log } from '../../store'
import { makeReportId, type Period } from '../format'
import type { Lease, NewReport } from './entry'
import type { ReportLedger } from './ledger'
import { frequenciesOf, type ReporterSettings } from './settings'
import { correctTimetables, OTHER_DOMAINS, FAR_AHEAD, groupsOf, nextStep, type Step } from './timetable'
import { periodText } from './wording'

/** How long after its end an hour is closed: workers may still be writing down what happened in it. Milliseconds. */
export const GRACE = 5 * 60_000

/** Of domains that are scheduled in one go. */
const PAGE = 500

export interface ScheduleOptions {
  readonly store: Pick<OutcomeStore, 'close' | 'reopen' | 'domainsOf' | 'policiesOf'>
  readonly ledger: ReportLedger
  readonly settings: ReporterSettings
  readonly log: Log
  /**
   * Whether the clock has gone on evenly for a while, so that it is believed rather than what is written down. Else what is wrong stays
   * so for now: a clock that is behind at a start must not have everything begin anew.
   */
  readonly isClockSteady: boolean
  /** milliseconds since 1970 */
  readonly now: () => number
  /** 0 to 1 */
  readonly random: () => number
  /** letters and digits that no other report has */
  readonly unique: () => string
}

/** The lease is lost: another worker goes on with what has been begun. */
const LOST = { ok: false, text: 'the lease of reports is lost' } as const

/** Schedules all that can be. What fails is done again the next time, with the same result. */
export async function scheduleReports(options: ScheduleOptions, lease: Lease): Promise<Done<void>> {
  const { ledger, settings, now } = options
  const closing = Math.floor((now() - GRACE) / HOUR) * HOUR
  const closed = await closeHours(options, closing)
  if (!closed.ok) return closed
  const brought = options.isClockSteady ? await ledger.bringForward(lease, now()) : undefined
  if (brought?.ok === false) return brought
  if (brought?.value) tellOfClock(options, `${brought.value} TLS reports were due far too late`)
  for (;;) {
    const known = await ledger.timetables()
    if (!known.ok) return known
    const until = Math.min(closing, closed.value)
    const corrected = correctTimetables(known.value, frequenciesOf(settings), until)
    if (corrected !== undefined && !options.isClockSteady) return { ok: true, value: undefined }
    const step = corrected ?? nextStep(known.value, frequenciesOf(settings), until)
    if (step === undefined) return { ok: true, value: undefined }
    if ('wrong' in step) tellOfClock(options, step.wrong)
    const others = groupsOf(known.value)
    const scheduled =
      'scheduled' in step && step.scheduled && (await schedulePeriod(options, lease, step.scheduled, others))
    if (scheduled && !scheduled.ok) return scheduled
    const saved = await ledger.saveTimetables(lease, step.timetables)
    if (!saved.ok) return saved
    if (!saved.value) return LOST
  }
}

/** Closes what is over. What a wrong clock has closed far ahead is opened again: all outcomes would be booked forward to that time. */
async function closeHours(options: ScheduleOptions, closing: number): Promise<Done<number>> {
  const { store } = options
  const closed = await store.close(closing)
  if (!closed.ok || closed.value <= closing + FAR_AHEAD) return closed
  if (!options.isClockSteady) return closed
  const reopened = await store.reopen(closing)
  if (!reopened.ok) return reopened
  tellOfClock(options, `hours up to ${new Date(closed.value).toISOString()} were closed for TLS reports`)
  return { ok: true, value: closing }
}

function tellOfClock({ log, now }: ScheduleOptions, wrong: string): void {
  log('crit', `the clock was wrong: ${wrong}, and it is ${new Date(now()).toISOString()} now. This is put right`)
}

async function schedulePeriod(
  options: ScheduleOptions,
  lease: Lease,
  { group, period }: NonNullable<Step['scheduled']>,
  others: ReadonlySet<string>,
): Promise<Done<void>> {
  let count = 0
  for await (const page of domainsOf(options, group, period)) {
    if (!page.ok) return page
    const domains = group === OTHER_DOMAINS ? page.value.filter((domain) => !others.has(domain)) : page.value
    const written = await options.ledger.schedule(
      lease,
      domains.map((domain) => newReport(options, domain, period)),
    )
    if (!written.ok) return written
    if (!written.value) return LOST
    count += domains.length
  }
  if (count > 0) options.log('info', `${count} TLS reports for ${periodText(period)} are due`)
  return { ok: true, value: undefined }
}

/** The domains of a group that had sessions in a period, page by page. */
async function* domainsOf(
  { store }: ScheduleOptions,
  group: string,
  period: Period,
): AsyncGenerator<Done<readonly string[]>, void, undefined> {
  if (group !== OTHER_DOMAINS) {
    const policies = await store.policiesOf(group, period)
    yield policies.ok ? { ok: true, value: policies.value.length > 0 ? [group] : [] } : policies
    return
  }
  for (let after = ''; ;) {
    const page = await store.domainsOf(period, after, PAGE)
    yield page
    if (!page.ok || page.value.length < PAGE) return
    after = page.value.at(-1) ?? ''
  }
}

/** Its time is settled here, once: spread over at most a third of the period. */
function newReport({ settings, now, random, unique }: ScheduleOptions, domain: string, period: Period): NewReport {
  const { start, end } = period
  const spread = Math.min(settings.spread, (end - start) / 3)
  return {
    domain,
    start,
    end,
    reportId: makeReportId(settings.submitter, period, unique()),
    dueAt: Math.floor(Math.max(end + GRACE, now()) + random() * spread),
  }
}
