/**
 * All at a glance.
 *
 * @module
 */

import type { OverviewData } from '../data/overview'
import type { ReportCounts } from '../data/reports'
import type { MachineResolver } from '../data/resolver'
import { SPANS } from '../data/connections'
import { html, type Html } from '../html'
import { destinationTable, waitingTable } from './destination-tables'
import type { Page } from './frame'
import { mark, status, type Shape, type Tone } from './marks'
import { levelPlot } from './plot'
import { address, choice, count, counted, empty, problemNote, section, share, when, type Context } from './parts'
import { failureTable } from './received-tables'
import { resolverStatus } from './resolver'
import { ruleList } from './exemptions'
import { upTo } from './reports'

export function overviewPage(data: OverviewData, context: Context): Page {
  return {
    title: 'At a glance',
    lead: summary(data),
    body: html`${problemNote(data.problems)}${isUnused(data) && firstSteps}${figures(data, context)}
      ${waiting(data, context)} ${connections(data, context)} ${failing(data, context)}
      <div class="two">${sent(data, context)}${resolvers(data, context)}</div>
      ${received(data, context)} ${exemptions(data, context)}`,
  }
}

/** The answer to the question with which one comes here. */
function summary({ waiting, destinations, resolvers }: OverviewData): string {
  const parts = [
    waiting === null
      ? undefined
      : waiting.messages === 0
        ? 'No message waits because of TLS.'
        : `${counted(waiting.messages, 'message waits', 'messages wait')} because of TLS.`,
    destinations === null || destinations.known === 0
      ? undefined
      : destinations.failing === 0
        ? 'No destination is failing.'
        : `${counted(destinations.failing, 'destination is', 'destinations are')} failing.`,
    (resolvers ?? []).some(({ health }) => health === 'fails')
      ? 'A resolver does not validate: there is no DANE until it does.'
      : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(' ')
}

function isUnused({ destinations, waiting, resolvers }: OverviewData): boolean {
  return destinations?.known === 0 && waiting?.messages === 0 && resolvers?.length === 0
}

const firstSteps = html`<section aria-labelledby="first">
  <h2 id="first">Nothing has been recorded yet</h2>
  <p>Figures appear here within seconds of the first delivery. Should there be none:</p>
  <ul>
    <li>Is <code>outbound-tls</code> in <code>config/plugins</code>? It is what delivers, and records.</li>
    <li>Has Haraka been restarted since, and has it sent a message to another domain?</li>
    <li>Does the log say anything of <code>[outbound-tls]</code>?</li>
  </ul>
</section> `

function figures(data: OverviewData, { base }: Context): Html {
  const { waiting, destinations, connections, reports, received } = data
  const totals = connections?.totals
  const opened = totals && totals.verified + totals.trusted + totals.untrusted + totals['clear-text']
  const pending = reports && reports.scheduled + reports.sending
  const known = destinations ? `of ${counted(destinations.known, 'destination')}` : 'destinations'
  const span = connections ? `, ${connections.span}` : ''
  const givenUp = reports ? `, ${upTo(reports['given-up'])} given up` : ''
  return html`<ul class="figures">
    ${figure('#waiting', waiting?.messages, 'messages wait because of TLS', ['bad', 'clock'])}
    ${figure(`${base}/destinations`, destinations?.failing, `${known} failing`, ['bad', 'cross'])}
    ${figure('#connections', totals && opened ? share(opened - totals['clear-text'], opened) : undefined, `delivered over TLS${span}`)}
    ${figure(`${base}/reports`, pending ?? undefined, `reports pending${givenUp}`)}
    ${figure(`${base}/received`, received?.sessions.failures, 'failures, others report, 30 d', ['warn', 'warning'])}
  </ul>`
}

/** @param look - of a number that should be none */
function figure(to: string, value: number | string | undefined, label: string, look?: readonly [Tone, Shape]): Html {
  const [tone, shape] = look !== undefined && Number(value) > 0 ? look : []
  const shown = value === undefined ? '–' : typeof value === 'number' ? upTo(value) : value
  return html`<li>
    <a href="${to}"
      ><span class="value ${tone}">${shape && mark(shape)}${shown}</span><span class="label">${label}</span></a
    >
  </li>`
}

function waiting({ waiting }: OverviewData, context: Context): Html {
  if (waiting === null) return section('waiting', 'Messages that wait because of TLS', empty('Not known now.'))
  const { messages, domains } = waiting
  const listed = domains.reduce((sum, domain) => sum + domain.messages, 0)
  const body =
    messages === 0
      ? empty(
          'None.',
          'A message that a policy or a rule holds back appears here, with the reason and its next attempt.',
        )
      : html`${waitingTable(domains, context)}${listed < messages && html`<p class="more faint">and ${counted(messages - listed, 'message')} to other domains</p>`}`
  return section('waiting', 'Messages that wait because of TLS', body)
}

function connections({ connections, destinations }: OverviewData, context: Context): Html {
  if (connections === null) return section('connections', 'Connections by level', empty('Not known now.'))
  const spans = Object.keys(SPANS).map((name) => {
    return [name, `${address(context.base, { span: name })}#connections`, name === connections.span] as const
  })
  const isEmpty = Object.values(connections.totals).every((total) => total === 0)
  const versions = Object.entries(connections.tlsVersions).sort(([, a], [, b]) => b - a)
  const whole = versions.reduce((sum, [, number]) => sum + number, 0)
  const body = isEmpty
    ? empty('None in this time.', destinations?.known ? 'Longer spans may have some.' : undefined)
    : html`${levelPlot('levels', connections, context)}
      ${versions.length > 0 && html`<p class="small faint more">${versions.map(([version, number], index) => html`${index > 0 && ' · '}${version} ${share(number, whole)}`)}</p>`}`
  return section('connections', 'Connections by level', body, choice('Span of time', spans))
}

function failing({ destinations }: OverviewData, context: Context): Html {
  const { latest, failing, known } = destinations ?? { latest: [], failing: 0, known: 0 }
  const all = html`<a href="${context.base}/destinations">All ${counted(known, 'destination')}</a>`
  const body =
    latest.length === 0
      ? empty(
          destinations === null ? 'Not known now.' : 'None.',
          'A destination fails from its first refusal until it is delivered to.',
        )
      : html`${destinationTable(latest, context)}${failing > latest.length && html`<p class="more faint">and ${count(failing - latest.length)} more</p>`}`
  return section('failing', 'Destinations that fail', body, known > 0 && all)
}

function resolvers({ resolvers }: OverviewData, context: Context): Html {
  const row = (one: MachineResolver): Html =>
    html`<p>${resolverStatus(one)} ${one.machine} <span class="faint small">tested ${when(one.at, context)}</span></p>`
  const body =
    resolvers === null
      ? empty('Not known now.')
      : resolvers.length === 0
        ? empty('Not tested yet.')
        : resolvers.map(row)
  return section('resolvers', 'Resolver', body, html`<a href="${context.base}/resolver">Details</a>`)
}

function sent({ reports }: OverviewData, { base }: Context): Html {
  if (reports === null) return section('sent', 'Reports sent', empty('Not known now.'))
  return section('sent', 'Reports sent', reportCounts(reports, base), html`<a href="${base}/reports">All</a>`)
}

function reportCounts(counts: ReportCounts, base: string): Html {
  const all = Object.values(counts).reduce((sum, number) => sum + number, 0)
  if (all === 0)
    return empty(
      'None yet.',
      html`Domains that ask for TLS reports get them when a period is over, with
        <code>outbound-tls/plugins/report</code>.`,
    )
  const rows = [
    ['sent', 'good', 'disc', 'sent', counts.sent],
    ['pending', 'plain', 'clock', 'pending', counts.scheduled + counts.sending],
    ['given-up', 'bad', 'cross', 'given up', counts['given-up']],
    ['not-wanted', 'plain', 'dash', 'not wanted', counts['not-wanted']],
  ] as const
  return html`<dl class="facts">
    ${rows.map(
      ([state, tone, shape, word, number]) =>
        html`<dt>${status(number > 0 ? tone : 'plain', shape, word)}</dt>
          <dd><a href="${base}/reports?state=${state}">${upTo(number)}</a></dd>`,
    )}
  </dl>`
}

function received({ received }: OverviewData, context: Context): Html {
  const all = html`<a href="${context.base}/received">All</a>`
  if (received === null) return section('received', 'What others report about our hosts', empty('Not known now.'))
  const body =
    received.reports === 0
      ? empty(
          'No report in 30 days.',
          html`Others send them to the address in your TLSRPT record; <code>outbound-tls/plugins/analysis</code> reads
            them.`,
        )
      : received.failures.length === 0
        ? html`<p class="empty">
            <strong>No failures</strong>in ${counted(received.reports, 'report')} of the last 30 days.
          </p>`
        : failureTable(received.failures, context)
  return section('received', 'What others report about our hosts', body, received.reports > 0 && all)
}

function exemptions({ exemptions }: OverviewData, context: Context): Html {
  const { main, rules } = exemptions
  const body = html`${main.length > 0 && html`<p>For all deliveries: ${main.map((text) => html`<code>${text}</code> `)}</p>`}${
    rules.length === 0
      ? main.length === 0 && empty('None: no rule asks for less than the settings.')
      : ruleList(rules, context)
  }`
  return section('exemptions', 'Exemptions in force', body, html`<a href="${context.base}/exemptions">All rules</a>`)
}
