/**
 * Rules, and when they end.
 *
 * @module
 */

import type { ExemptionsData, ShownRule } from '../data/exemptions'
import { html, type Html } from '../html'
import type { Page } from './frame'
import { status } from './marks'
import { empty, fromNow, day, said, section, table, type Context } from './parts'

export function exemptionsPage({ main, rules }: ExemptionsData, context: Context): Page {
  const weak = rules.filter(({ weakens }) => weakens)
  const others = rules.filter(({ weakens }) => !weakens)
  const none = empty('None.', 'No rule asks for less than [main] does.')
  return {
    title: 'Exemptions',
    lead: html`Rules of <code>config/outbound-tls.ini</code>, and when they stop matching.`,
    body: html`${
      main.length > 0 &&
      html`<div class="note">
        <strong>[main] itself lets more through than it would by default</strong>
        <ul>
          ${main.map((text) => html`<li><code>${said(text)}</code></li>`)}
        </ul>
      </div>`
    }
    ${section('weaker', 'Rules that ask for less', weak.length === 0 ? none : ruleList(weak, context))}
    ${others.length > 0 && section('stricter', 'Other rules', ruleList(others, context))}`,
  }
}

export function ruleList(rules: readonly ShownRule[], context: Context): Html {
  return table(
    'Rules',
    [
      { head: 'Rule', cell: ({ name }) => said(name, 100) },
      { head: 'Ends', kind: 'when', cell: (rule) => endCell(rule, context) },
      { head: 'Sets', kind: 'code', cell: ({ sets }) => lines(sets) },
      { head: 'Where', kind: 'code', cell: ({ conditions }) => lines(conditions) },
      { head: 'Reason', kind: 'why', cell: ({ reason }) => reason && said(reason) },
    ],
    rules,
  )
}

function lines(texts: readonly string[]): Html {
  return html`${texts.map((text, index) => html`${index > 0 && html`<br />`}<code>${said(text, 200)}</code>`)}`
}

function endCell({ state, until }: ShownRule, { now }: Context): Html {
  if (until === null) return status('plain', 'dash', 'never')
  const [on, away] = [day(until, now), fromNow(until, now)]
  if (state === 'ended') return status('plain', 'dash', `ended ${on}`)
  const text = html`<time datetime="${until}">${on}</time> <span class="faint small">${away}</span>`
  return state === 'ends-soon' ? html`${status('warn', 'clock', 'soon')} ${text}` : text
}
