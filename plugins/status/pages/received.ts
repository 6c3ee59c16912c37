/**
 * Reports that others sent about our hosts.
 *
 * @module
 */

import type { ReceivedPolicyView, ReceivedView } from '../../views'
import type { Totals } from '../../lib/tlsrpt/parsing'
import type { ReceivedData, ReceivedReportData, ShownSums } from '../data/received'
import { html, type Html, type Part } from '../html'
import type { Page } from './frame'
import { status } from './marks'
import { dayBars } from './plot'
import {
  address,
  choice,
  count,
  counted,
  day,
  empty,
  facts,
  failed,
  nextPage,
  problemNote,
  said,
  section,
  share,
  table,
  when,
  type Context,
} from './parts'
import { failureTable } from './received-tables'

export function receivedPage(data: ReceivedData, context: Context): Page {
  const { sums, unverified, reports, next, problems } = data
  const path = `${context.base}/received`
  const choices = [
    ['Counted', path, !unverified],
    [`Unverified${sums ? ` ${count(sums.unverified)}` : ''}`, address(path, { unverified: 'true' }), unverified],
  ] as const
  const none = unverified
    ? empty(
        'None.',
        'Reports without a valid signature of the domain that sends them are kept here, and counted nowhere.',
      )
    : empty(
        'No report yet.',
        html`Others send them to the address in your TLSRPT record; <code>outbound-tls/plugins/analysis</code> reads
          them.`,
      )
  return {
    title: 'Reports received',
    lead: lead(sums),
    body: html`${problemNote(problems)}${sums && sums.reports > 0 && sections(sums, context)}
    ${section(
      'list',
      unverified ? 'Unverified reports' : 'All reports',
      html`${reports === null ? empty('Not known now.') : reports.length === 0 ? none : entryTable(reports, context)}
      ${nextPage(path, { unverified: unverified ? 'true' : undefined }, next)}`,
      choice('Reports that are', choices),
    )}`,
  }
}

function lead(sums: ShownSums | null): string {
  if (sums === null || sums.reports === 0) return 'What others tell us about TLS with our hosts (RFC 8460).'
  const { successes, failures, fetchFailures } = sums.sessions
  const fetches = fetchFailures === 0 ? '' : `, ${count(fetchFailures)} of them to fetch our MTA-STS policy`
  const more = sums.complete ? '' : ' Not all of it is added up: there is too much.'
  return `${counted(sums.reports, 'report')} of the last 30 days: ${count(failures)} of ${counted(failures + successes, 'session')} failed${fetches}.${more}`
}

function sections({ failures, domains, reporters }: ShownSums, context: Context): Html {
  return html`${section('failures', 'Failures of our hosts', failures.length === 0 ? empty('None.') : failureTable(failures, context))}
  ${section('domains', 'Our domains over time', domainTable(domains, context))}
  ${section('reporters', 'By reporter', reporterTable(reporters, context))}`
}

/** Where failures of the policy itself are counted: its host, certificate or text is what is broken, not a mail host. */
const FETCHES = {
  head: 'Policy fetches',
  kind: 'number',
  cell: ({ fetchFailures }: Pick<Totals, 'fetchFailures'>) => failed(fetchFailures),
} as const

function domainTable(domains: ShownSums['domains'], { now }: Context): Html {
  const numbered = domains.map((domain, index) => ({ ...domain, index }))
  const axis = daysShown(domains, now)
  return table(
    'Sessions that others report, by domain of ours',
    [
      { head: 'Domain', cell: ({ domain }) => said(domain, 120) },
      { head: 'Failed', kind: 'number', cell: ({ failures }) => failed(failures) },
      FETCHES,
      { head: 'Of', kind: 'number', cell: ({ failures, successes }) => count(failures + successes) },
      { head: 'Share', kind: 'number', cell: ({ failures, successes }) => share(failures, failures + successes) },
      {
        head: `Failures by day, ${day(axis[0] ?? '', now)} to today`,
        cell: ({ domain, days, index, failures }) =>
          failures === 0
            ? html`<span class="faint">none</span>`
            : dayBars(`days-${index}`, `Failures of ${domain}`, everyDay(days, axis)),
      },
      { head: 'Last report', kind: 'when', cell: ({ days }) => day(days.at(-1)?.day ?? '', now) },
    ],
    numbered,
  )
}

const DAY = 86_400_000

/** One axis for all domains: from the first day that any report is about to today, a week at least and 30 days at most. */
function daysShown(domains: ShownSums['domains'], now: number): readonly string[] {
  const today = Math.floor(now / DAY) * DAY
  const first = Math.min(today, ...domains.flatMap(({ days }) => (days[0]?.day ? [Date.parse(days[0].day)] : [])))
  const length = Math.min(30, Math.max(7, (today - first) / DAY + 1))
  return Array.from({ length }, (_, index) => {
    return new Date(today - (length - 1 - index) * DAY).toISOString().slice(0, 10)
  })
}

/** Days without a report are days without failures that anybody told of. */
function everyDay(
  days: ShownSums['domains'][number]['days'],
  axis: readonly string[],
): readonly { readonly day: string; readonly failures: number }[] {
  const known = new Map(days.map(({ day, failures }) => [day, failures]))
  return axis.map((day) => ({ day, failures: known.get(day) ?? 0 }))
}

function reporterTable(reporters: ShownSums['reporters'], context: Context): Html {
  return table(
    'Who reports',
    [
      { head: 'Reporter', cell: ({ reporter }) => said(reporter, 120) },
      { head: 'Reports', kind: 'number', cell: ({ reports }) => count(reports) },
      { head: 'Failed', kind: 'number', cell: ({ failures }) => failed(failures) },
      FETCHES,
      { head: 'Succeeded', kind: 'number', cell: ({ successes }) => count(successes) },
      { head: 'Latest', kind: 'when', cell: ({ latestAt }) => when(latestAt, context) },
    ],
    reporters,
  )
}

function entryTable(entries: readonly ReceivedView[], context: Context): Html {
  return table(
    'Reports, the latest first',
    [
      {
        head: 'Organization',
        cell: ({ id, organization }) =>
          html`<a href="${context.base}/received/${id}"
            >${organization === '' ? 'no name' : said(organization, 100)}</a
          >`,
      },
      {
        head: 'Signed by',
        cell: ({ signedBy }) => (signedBy === null ? status('warn', 'triangle', 'nobody') : said(signedBy, 100)),
      },
      { head: 'About', cell: ({ domains }) => said(domains.join(', '), 200) },
      { head: 'Period', kind: 'when', cell: ({ start }) => start && day(start, context.now) },
      { head: 'Failed', kind: 'number', cell: ({ failures }) => failed(failures) },
      FETCHES,
      { head: 'Of', kind: 'number', cell: ({ successes, failures }) => count(successes + failures) },
      { head: 'Received', kind: 'when', cell: ({ receivedAt }) => when(receivedAt, context) },
    ],
    entries,
  )
}

export function receivedReportPage({ report, left }: ReceivedReportData, context: Context): Page {
  const rows: readonly (readonly [string, Part])[] = [
    ['Signed by', report.signedBy === null ? status('warn', 'triangle', 'nobody') : said(report.signedBy, 200)],
    ['Counted', report.counted ? 'yes' : 'nowhere'],
    ['Contact', report.contact === null ? 'none' : said(report.contact)],
    ['Report id', html`<span class="mono">${said(report.reportId)}</span>`],
    ['From', when(report.start, context)],
    ['To', when(report.end, context)],
    ['Received', html`${when(report.receivedAt, context)}, by ${report.source}`],
    ['Sessions', `${count(report.failures)} of at least ${count(report.failures + report.successes)} failed`],
    ['Policy fetches', `${count(report.fetchFailures)} of these failures are of the policy itself`],
    ...report.notes.map(({ code, text }) => ['Note', said(`${code}: ${text}`)] as const),
  ]
  return {
    lead: html`${report.domains.length > 0 && html`About ${said(report.domains.join(', '), 200)}, `}${when(report.start, context)}`,
    title: `Report of ${report.organization === '' ? 'no name' : report.organization.slice(0, 100)}`,
    body: html`${section('facts', 'What it is', facts(rows))}
    ${report.policies.map((policy, index) => policySection(policy, `policy-${index}`))}
    ${left > 0 && html`<p class="faint">${counted(left, 'more policy or detail', 'more policies and details')} not shown.</p>`}`,
  }
}

function policySection(policy: ReceivedPolicyView, id: string): Html {
  const { type, domain, ours, successes, failures, strings, mx, details } = policy
  const sums = html`<p>
    ${counted(failures, 'session')} failed, ${count(successes)} succeeded.
    ${!ours && status('warn', 'triangle', 'about others: counted nowhere')}
  </p>`
  const list =
    details.length > 0 &&
    table(
      'How sessions failed',
      [
        {
          head: 'Host',
          cell: ({ receivingHost, receivingAddress }) =>
            said([receivingHost, receivingAddress].filter(Boolean).join(' ') || 'not said', 200),
        },
        { head: 'Sessions', kind: 'number', cell: (detail) => count(detail.count) },
        {
          head: 'How',
          kind: 'why',
          cell: ({ type: result, reason, information }) =>
            html`<strong>${said(result, 100)}</strong
              >${reason && html` ${said(reason, 300)}`}${information && html`<br />${said(information, 300)}`}`,
        },
        { head: 'From', cell: ({ sendingAddress }) => sendingAddress && said(sendingAddress, 60) },
      ],
      details,
    )
  const text = [...strings, ...mx.map((pattern) => `mx-host: ${pattern}`)].join('\n')
  return section(
    id,
    `${type} policy of ${(domain ?? 'no domain').slice(0, 120)}`,
    html`${sums}${list}${
      text !== '' &&
      html`<details>
        <summary>The policy as they saw it</summary>
        <pre tabindex="0">${said(text, 10_000)}</pre>
      </details>`
    }`,
  )
}
