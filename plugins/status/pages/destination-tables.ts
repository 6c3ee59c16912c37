/**
 * Tables of destinations, and of messages that wait for one.
 *
 * @module
 */

import type { DestinationState } from '../../lib/monitor'
import type { DestinationView, LastSeenView, WaitingDomainView, WaitingMessageView } from '../../views'
import { html, type Html, type Part } from '../html'
import { levelStatus, status } from './marks'
import { count, destinationLink, distance, said, table, when, type Context } from './parts'

const STATES = {
  failing: status('bad', 'cross', 'failing'),
  recovered: status('warn', 'half', 'recovered'),
  fine: status('good', 'disc', 'fine'),
} as const satisfies Record<DestinationState, Html>

export function stateStatus(state: DestinationState): Html {
  return STATES[state]
}

export function waitingTable(domains: readonly WaitingDomainView[], context: Context): Html {
  return table(
    'Messages that wait because of TLS, by domain',
    [
      { head: 'Domain', cell: ({ domain }) => destinationLink(context, domain) },
      { head: 'Messages', kind: 'number', cell: ({ messages }) => count(messages) },
      { head: 'Since', kind: 'when', cell: ({ since }) => when(since, context) },
      { head: 'Next attempt', kind: 'when', cell: ({ nextAt }) => distance(nextAt, context) },
      { head: 'Why', kind: 'why', cell: reasonCell },
    ],
    domains,
  )
}

export function messageTable(messages: readonly WaitingMessageView[], context: Context): Html {
  return table(
    'Messages to this domain that wait because of TLS',
    [
      { head: 'Message', cell: ({ id }) => html`<span class="mono">${said(id, 60)}</span>` },
      { head: 'Since', kind: 'when', cell: ({ since }) => when(since, context) },
      { head: 'Next attempt', kind: 'when', cell: ({ nextAt }) => distance(nextAt, context) },
      { head: 'Why', kind: 'why', cell: reasonCell },
    ],
    messages,
  )
}

function reasonCell({ status, reasons, text }: Pick<WaitingDomainView, 'status' | 'reasons' | 'text'>): Part {
  return html`<strong>${status}${reasons.length > 0 && html` ${said(reasons.join(', '))}`}</strong
    ><br />${said(text, 400)}`
}

export function destinationTable(destinations: readonly DestinationView[], context: Context): Html {
  return table(
    'Destinations, those that fail first',
    [
      { head: 'Domain', cell: ({ domain }) => destinationLink(context, domain) },
      {
        head: 'State',
        cell: ({ state, refused, delivered }) => html`${stateStatus(state)}${worseMark(refused ?? delivered)}`,
      },
      { head: 'Last delivered', kind: 'when', cell: ({ delivered }) => lastCell(delivered, context) },
      {
        head: 'Last refused',
        kind: 'when',
        cell: ({ refused }) => (refused ? when(refused.at, context) : html`<span class="faint">never</span>`),
      },
      { head: 'Why', kind: 'why', cell: ({ refused }) => refused && wordCell(refused) },
    ],
    destinations,
  )
}

function lastCell(word: LastSeenView | null, context: Context): Part {
  return word === null
    ? html`<span class="faint">never</span>`
    : html`${levelStatus(word.level)} <span class="small faint">${distance(word.at, context)}</span>`
}

/** A host that was Verified or Trusted for a week, and is not any more. */
function worseMark(word: LastSeenView | null): Part {
  return (word?.goodUntil ?? null) !== null && html`<br />${status('bad', 'warning', 'was better before')}`
}

function wordCell({ reason, text }: LastSeenView): Part {
  return html`<strong>${said(reason, 80)}</strong><br />${said(text, 300)}`
}

export function hostTable(hosts: readonly LastSeenView[], context: Context): Html {
  return table(
    'The last words on each host, the latest first',
    [
      {
        head: 'Host',
        cell: ({ host }) => (host === null ? html`<span class="faint">all hosts</span>` : said(host, 120)),
      },
      {
        head: 'Level',
        cell: (word) =>
          html`${levelStatus(word.level)}${worseMark(word)}${word.tlsVersion !== null && html` <span class="small faint">${said(word.tlsVersion, 20)}</span>`}`,
      },
      { head: 'When', kind: 'when', cell: ({ at }) => when(at, context) },
      { head: 'Why', kind: 'why', cell: wordCell },
    ],
    hosts,
  )
}
