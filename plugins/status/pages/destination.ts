/**
 * One destination: what is known of it.
 *
 * @module
 */

import type { DestinationData } from '../data/destinations'
import type { Verdict } from '../data/sessions'
import { html, type Html, type Part } from '../html'
import { hostTable, messageTable, stateStatus } from './destination-tables'
import type { Page } from './frame'
import { LEVELS } from '../../lib/monitor'
import { LEVEL_LOOKS } from './marks'
import { levelPlot } from './plot'
import { count, counted, empty, failed, problemNote, said, section, table, when, type Context } from './parts'
import { policyFacts, failureFacts } from './policies'
import { reportTable } from './reports'

export function destinationPage(data: DestinationData, context: Context): Page {
  const { domain, hosts, waiting, policy, lastFailure, reports, problems } = data
  const command = html`What would become of a message now says <code>outbound-tls explain ${said(domain, 120)}</code>.`
  return {
    title: domain.length > 120 ? `${domain.slice(0, 120)}…` : domain,
    lead: html`${lead(data, context)} ${command}`,
    body: html`${problemNote(problems)}
    ${waiting?.length !== 0 && section('waiting', 'Messages that wait because of TLS', waiting ? messageTable(waiting, context) : notKnown)}
    ${section(
      'hosts',
      'Its hosts, as they were last seen',
      listed(hosts, empty('Nothing is remembered of its hosts.'), (all) => hostTable(all, context)),
    )}
    ${sessions(data, context)} ${verdicts(data)}
    ${section('policy', 'MTA-STS policy', policy ? policyFacts(policy, context) : lastFailure ? failureFacts(lastFailure, context) : empty(problems.length > 0 ? 'None that is known now.' : 'None in the cache.'))}
    ${section(
      'reports',
      'TLS reports to it',
      listed(reports, empty('None.', 'It has asked for none, or none was due yet.'), (all) =>
        reportTable(all, context, true),
      ),
    )}`,
  }
}

const notKnown = empty('Not known now.')

/** @param entries - null: they cannot be read */
function listed<Entry>(entries: readonly Entry[] | null, none: Html, show: (entries: readonly Entry[]) => Html): Html {
  if (entries === null) return notKnown
  return entries.length === 0 ? none : show(entries)
}

function lead({ destination, hosts }: DestinationData, context: Context): Part {
  if (hosts === null) return undefined
  if (destination === null) return 'No delivery to it is remembered.'
  const { state, refused, delivered } = destination
  const last = state === 'failing' ? refused : delivered
  const what = state === 'failing' ? 'last refused' : 'last delivered to'
  return html`${stateStatus(state)}, ${what} ${when(last?.at ?? null, context)}.`
}

function sessions({ sessions }: DestinationData, context: Context): Html {
  const heading = 'Sessions of the last seven days'
  if (sessions === null) return section('sessions', heading, notKnown)
  if (sessions.hosts.length === 0) return section('sessions', heading, empty('None.'))
  const columns = LEVELS.map((level) => ({
    head: LEVEL_LOOKS[level].word,
    kind: 'number' as const,
    cell: ({ counts }: (typeof sessions.hosts)[number]) => count(counts[level]),
  }))
  const host = {
    head: 'Host',
    cell: ({ host }: (typeof sessions.hosts)[number]) =>
      host === null ? html`<span class="faint">none</span>` : said(host, 120),
  }
  return section(
    'sessions',
    heading,
    html`${levelPlot('levels', sessions, context)}
      <h3>By host</h3>
      ${table('Sessions by host and level', [host, ...columns], sessions.hosts)}`,
  )
}

const TYPES: Readonly<Record<string, string>> = { tlsa: 'DANE', sts: 'MTA-STS', 'no-policy-found': 'no policy' }

function verdicts({ verdicts }: DestinationData): Html {
  const heading = 'How each policy judged them'
  if (verdicts === null) return section('verdicts', heading, notKnown)
  if (verdicts.length === 0) return section('verdicts', heading, empty('No session was judged in the last seven days.'))
  const body = table(
    'Sessions as each policy judges them, by itself',
    [
      {
        head: 'Policy',
        cell: ({ policyType, policyDomain }: Verdict) =>
          html`${TYPES[policyType] ?? policyType} <span class="faint">${said(policyDomain, 120)}</span>`,
      },
      { head: 'Succeeded', kind: 'number', cell: ({ successes }: Verdict) => count(successes) },
      { head: 'Failed', kind: 'number', cell: ({ failures }: Verdict) => failed(failures) },
      { head: 'How', kind: 'why', cell: ({ details }: Verdict) => details.map(detail) },
    ],
    verdicts,
  )
  return section('verdicts', heading, body, html`<span class="faint small">as a TLS report counts them</span>`)
}

function detail({ result, reason, host, sessions }: Verdict['details'][number], index: number): Html {
  const what = reason === null ? result : `${result} (${reason})`
  return html`${index > 0 && html`<br />`}<strong>${said(what, 120)}</strong>
    ${host !== null && html`at ${said(host, 120)}, `}${counted(sessions, 'session')}`
}
