/**
 * Which of our hosts fails, how, since when, and who reports it.
 *
 * @module
 */

import type { FailureView } from '../../views'
import { html, type Html } from '../html'
import { counted, day, failed, said, table, type Context } from './parts'

export function failureTable(failures: readonly FailureView[], { now }: Context): Html {
  return table(
    'What failed at our hosts, the most frequent first',
    [
      {
        head: 'Host',
        cell: ({ host, domain }) =>
          host === null ? html`<span class="faint">of ${said(domain, 120)}</span>` : said(host, 120),
      },
      { head: 'Failures', kind: 'number', cell: (way) => failed(way.count) },
      {
        head: 'How',
        kind: 'why',
        cell: ({ result, reason, policyType, domain }) =>
          html`<strong>${said(result, 100)}</strong
            >${reason !== null && html` (${said(reason, 100)})`}<br />${said(policyType, 30)} policy of
            ${said(domain, 120)}`,
      },
      { head: 'Since', kind: 'when', cell: ({ since }) => since && day(since, now) },
      { head: 'Until', kind: 'when', cell: ({ until }) => until && day(until, now) },
      {
        head: 'Reported by',
        cell: ({ reporters }) =>
          html`${said(reporters.slice(0, 3).join(', '), 200)}${reporters.length > 3 && ` and ${counted(reporters.length - 3, 'other')}`}`,
      },
    ],
    failures,
  )
}
