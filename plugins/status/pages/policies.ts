/**
 * MTA-STS policies in the cache.
 *
 * @module
 */

import type { FetchFailureView, PolicySummaryView, PolicyView } from '../../views'
import type { PoliciesData } from '../data/policies'
import { html, type Html } from '../html'
import type { Page } from './frame'
import { status } from './marks'
import {
  address,
  count,
  counted,
  destinationLink,
  distance,
  empty,
  facts,
  said,
  searchForm,
  section,
  table,
  when,
  type Context,
} from './parts'

export function policiesPage(data: PoliciesData, context: Context): Page {
  const { search, total, byMode, troubled, complete, policies, next } = data
  const path = `${context.base}/policies`
  const nothing =
    search === ''
      ? empty('The cache holds no policy.', 'A policy is fetched when mail goes to a domain that publishes one.')
      : empty('None found.', html`No domain with a policy has “${said(search)}” in its name.`)
  return {
    title: 'MTA-STS policies',
    lead:
      total === 0
        ? undefined
        : `${counted(total, 'policy', 'policies')}${complete ? '' : ' and more'} in the cache: ${count(byMode.enforce)} enforce, ${count(byMode.testing)} testing, ${count(byMode.none)} none. ${troubled === 0 ? 'All are fresh.' : `${count(troubled)} could not be refreshed, or have expired.`}`,
    body: html`${searchForm(path, 'Part of a domain name', search)}
    ${section(
      'list',
      search === '' ? 'Those in trouble first' : `With “${search}” in the name`,
      html`${policies.length === 0 ? nothing : policyTable(policies, context)}
      ${next !== null && html`<p class="more"><a href="${address(path, { search, from: next })}" rel="next">Next page</a></p>`}`,
    )}`,
  }
}

function policyTable(policies: readonly PolicySummaryView[], context: Context): Html {
  return table(
    'Policies in the cache',
    [
      { head: 'Domain', cell: ({ domain }) => destinationLink(context, domain) },
      { head: 'Mode', cell: modeStatus },
      { head: 'Fetched', kind: 'when', cell: ({ fetchedAt }) => distance(fetchedAt, context) },
      {
        head: 'Expires',
        kind: 'when',
        cell: ({ expiresAt, expired }) => (expired ? status('bad', 'cross', 'expired') : distance(expiresAt, context)),
      },
      { head: 'Refresh', kind: 'why', cell: refreshCell },
    ],
    policies,
  )
}

function modeStatus({ mode, expired }: PolicySummaryView): Html {
  if (expired || mode === 'none') return status('plain', 'dash', mode)
  return mode === 'enforce' ? status('good', 'disc', mode) : status('fine', 'half', mode)
}

function refreshCell({ failedRefreshes, lastFailure }: PolicySummaryView): Html {
  const why = lastFailure && said(`${lastFailure.type}: ${lastFailure.text}`, 500)
  if (failedRefreshes === 0) return why ?? html`<span class="faint">fine</span>`
  const times = failedRefreshes === 1 ? 'failed once' : `failed ${count(failedRefreshes)} times in a row`
  return html`${status('warn', 'warning', times)}${why && html`<br />${why}`}`
}

/** All of one policy. */
export function policyFacts(policy: PolicyView, context: Context): Html {
  const {
    id,
    mx,
    maxAge,
    text,
    notes,
    fetchedAt,
    expiresAt,
    expired,
    refreshAt,
    lastUsedAt,
    failedRefreshes,
    lastFailure,
  } = policy
  const times =
    failedRefreshes > 0 && html`${status('warn', 'warning', `failed ${counted(failedRefreshes, 'time')} in a row`)} `
  return html`${facts([
      ['Mode', modeStatus(policy)],
      ['MX hosts', mx.length === 0 ? 'none' : said(mx.join(', '), 2000)],
      ['Longest age', duration(maxAge)],
      ['Id', html`<span class="mono">${said(id, 40)}</span>`],
      ['Fetched', when(fetchedAt, context)],
      [
        'Expires',
        html`${when(expiresAt, context)}${expired && html` ${status('bad', 'cross', 'not applied any more')}`}`,
      ],
      [
        'Next refresh',
        refreshAt === null
          ? 'none in the background: it lives too short for that'
          : html`${times}${when(refreshAt, context)}`,
      ],
      ['Last used', when(lastUsedAt, context)],
      ...notes.map((note) => ['Note', said(note)] as const),
      ...(lastFailure ? [['Latest failure', failureText(lastFailure, context)] as const] : []),
    ])}
    <details>
      <summary>The policy as it was fetched</summary>
      <pre tabindex="0">${said(text, 20_000)}</pre>
    </details>`
}

/** Where there is none. */
export function failureFacts(failure: FetchFailureView, context: Context): Html {
  return html`${empty('None in the cache: it could not be fetched.')}${facts([['Latest failure', failureText(failure, context)]])}`
}

function failureText({ at, type, text }: FetchFailureView, context: Context): Html {
  return html`${when(at, context)}: ${said(`${type}: ${text}`)}`
}

function duration(seconds: number): string {
  if (seconds >= 86_400) return `${(seconds / 86_400).toFixed(seconds % 86_400 === 0 ? 0 : 1)} days`
  return seconds >= 3600 ? `${(seconds / 3600).toFixed(1)} hours` : `${seconds} seconds`
}
