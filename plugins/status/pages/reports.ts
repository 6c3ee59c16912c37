/**
 * TLS reports of ours.
 *
 * @module
 */

import type { ReportState } from '../../lib/tlsrpt/sending'
import type { ReportView } from '../../views'
import { MOST_COUNTED, type ReportChoice, type ReportData, type ReportsData } from '../data/reports'
import { html, type Html, type Part } from '../html'
import type { Page } from './frame'
import { status } from './marks'
import {
  address,
  choice,
  count,
  day,
  destinationLink,
  distance,
  empty,
  facts,
  nextPage,
  said,
  searchForm,
  section,
  table,
  wellFormed,
  when,
  type Column,
  type Context,
} from './parts'

const STATES: Readonly<Record<ReportState, Html>> = {
  scheduled: status('plain', 'clock', 'scheduled'),
  sending: status('fine', 'half', 'sending'),
  sent: status('good', 'disc', 'sent'),
  'given-up': status('bad', 'cross', 'given up'),
  'not-wanted': status('plain', 'dash', 'not wanted'),
}

const CHOICES: readonly (readonly [ReportChoice, string])[] = [
  ['all', 'All'],
  ['pending', 'Pending'],
  ['sent', 'Sent'],
  ['given-up', 'Given up'],
  ['not-wanted', 'Not wanted'],
]

export function reportsPage(data: ReportsData, context: Context): Page {
  const { state, search, counts, reports, next } = data
  const path = `${context.base}/reports`
  const numbers = { ...counts, pending: counts.scheduled + counts.sending }
  const choices = CHOICES.map(([name, text]) => {
    const number = name === 'all' ? '' : ` ${upTo(numbers[name])}`
    return [text + number, address(path, { state: name === 'all' ? undefined : name, search }), name === state] as const
  })
  const nothing =
    state === 'all' && search === ''
      ? empty(
          'No report yet.',
          html`Domains that ask for TLS reports get them when a period is over, with
            <code>outbound-tls/plugins/report</code> in <code>config/plugins</code>.`,
        )
      : empty('None of these.')
  return {
    title: 'Reports sent',
    lead: 'What we tell other domains about TLS with their hosts (RFC 8460).',
    body: html`${searchForm(path, 'Domain', search, state === 'all' ? {} : { state })}
    ${section(
      'list',
      'Latest period first',
      html`${reports.length === 0 ? nothing : reportTable(reports, context)}
      ${nextPage(path, { state: state === 'all' ? undefined : state, search }, next)}`,
      choice('Reports that are', choices),
    )}`,
  }
}

/** What is counted up to a limit. */
export function upTo(number: number): string {
  return number >= MOST_COUNTED ? `${count(MOST_COUNTED)}+` : count(number)
}

/** @param isOfOne - whether all are on one domain, which is said elsewhere */
export function reportTable(reports: readonly ReportView[], context: Context, isOfOne = false): Html {
  const domain: Column<ReportView> = { head: 'Domain', cell: ({ domain }) => destinationLink(context, domain) }
  return table(
    'TLS reports, the latest period first',
    [
      ...(isOfOne ? [] : [domain]),
      {
        head: 'Period',
        kind: 'when',
        cell: (report) => html`<a href="${reportAddress(context, report)}">${periodOf(report, context)}</a>`,
      },
      { head: 'State', cell: ({ state }) => STATES[state] },
      { head: 'Sessions', kind: 'number', cell: ({ sessions }) => sessions && sessionCounts(sessions) },
      { head: 'Next', kind: 'when', cell: ({ dueAt }) => dueAt && distance(dueAt, context) },
      { head: 'Note', kind: 'why', cell: noteCell },
    ],
    reports,
  )
}

function sessionCounts({ successful, failed }: NonNullable<ReportView['sessions']>): Html {
  return html`${count(successful + failed)}${failed > 0 && html`, <span class="bad">${count(failed)} failed</span>`}`
}

/** The first that failed says more than the others. */
function noteCell({ note, destinations }: ReportView): Part {
  const told =
    note ??
    destinations.find(({ state }) => state === 'failed')?.note ??
    destinations.find(({ note }) => note !== null)?.note
  return told && said(told, 200)
}

export function reportAddress({ base }: Context, { domain, period }: ReportView): string {
  return `${base}/reports/${encodeURIComponent(wellFormed(domain))}/${period.start ?? ''}`
}

function periodOf({ period: { start, end } }: ReportView, { now }: Context): string {
  if (start === null || end === null) return '–'
  const length = Date.parse(end) - Date.parse(start)
  if (length === 86_400_000) return day(start, now)
  if (length < 86_400_000) return `${day(start, now)} ${start.slice(11, 16)}`
  return `${day(start, now)} – ${day(new Date(Date.parse(end) - 1).toISOString(), now)}`
}

const WITHOUT = {
  'not-composed': 'It is composed when its time comes.',
  'not-kept': 'A report that has been accepted is not kept. What it was made of is still counted: see the destination.',
  'too-long': 'It is too long to be shown here.',
} as const

export function reportPage({ entry, report, without }: ReportData, context: Context): Page {
  const { domain, reportId, state, sessions, size, note, destinations, firstTriedAt, dueAt } = entry
  const file = `${reportAddress(context, entry)}/report.json.gz`
  const rows: readonly (readonly [string, Part])[] = [
    ['State', STATES[state]],
    ['Domain', destinationLink(context, domain)],
    ['Report id', html`<span class="mono">${said(reportId)}</span>`],
    ['First attempt', when(firstTriedAt, context)],
    ['Next', dueAt === null ? 'nothing' : when(dueAt, context)],
    ['Sessions', sessions ? sessionCounts(sessions) : 'not counted yet'],
    ['Size', size === 0 ? 'not composed yet' : `${count(size)} bytes, compressed`],
    ...(note === null ? [] : [['Note', said(note, 1000)] as const]),
  ]
  const hasFile = without === null || without === 'too-long'
  return {
    title: `Report on ${domain.length > 120 ? `${domain.slice(0, 120)}…` : domain}`,
    lead: periodOf(entry, context),
    body: html`${section('facts', 'What became of it', facts(rows))}
    ${section('to', 'Where it goes', destinations.length === 0 ? empty('Not known yet: the domain is asked when the report is due.') : destinationsTable(destinations, context))}
    ${section('json', 'The report', without === null ? html`<pre tabindex="0">${JSON.stringify(report, null, 2)}</pre>` : empty(WITHOUT[without]), hasFile && html`<a href="${file}">As it is sent</a>`)}`,
  }
}

function destinationsTable(destinations: ReportView['destinations'], context: Context): Html {
  return table(
    'Where it goes',
    [
      { head: 'Address', cell: ({ rua }) => said(rua, 200) },
      { head: 'State', cell: ({ state }) => said(state) },
      { head: 'Attempts', kind: 'number', cell: ({ attempts }) => count(attempts) },
      {
        head: 'Next',
        kind: 'when',
        cell: ({ state, nextAt }) => state === 'waiting' && nextAt && distance(nextAt, context),
      },
      { head: 'What was said', kind: 'why', cell: ({ note }) => note && said(note, 500) },
    ],
    destinations,
  )
}
