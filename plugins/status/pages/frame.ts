/**
 * What every page has around it.
 *
 * @module
 */

import { html, markupOf, ours, type Html, type Part } from '../html'
import type { Reply } from '../reply'
import { STYLE } from '../style'
import type { Context } from './parts'

export interface Page {
  readonly title: string
  /** one sentence below it */
  readonly lead?: Part
  readonly body: Part
}

const VIEWS = [
  ['', 'At a glance'],
  ['destinations', 'Destinations'],
  ['policies', 'Policies'],
  ['reports', 'Reports sent'],
  ['received', 'Reports received'],
  ['resolver', 'Resolver'],
  ['exemptions', 'Exemptions'],
] as const

export type ViewName = (typeof VIEWS)[number][0]

const styleElement = ours(`<style>${STYLE}</style>`) // nothing else may stand in it, see reply.ts

const TICK = 'm5.8 9 2.3 2.3 4.2-4.6'
const SHIELD = 'M9 1 2.5 3.6v4.6c0 4 2.7 7.2 6.5 8.8 3.8-1.6 6.5-4.8 6.5-8.8V3.6z'

const shield = html`<svg viewBox="0 0 18 18" aria-hidden="true" focusable="false">
  <path d="${SHIELD}" fill="none" stroke="currentColor" stroke-width="1.6" />
  <path
    d="${TICK}"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
  />
</svg>`

const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18"><path d="${SHIELD}" fill="#0b6168"/><path d="${TICK}" fill="none" stroke="#fff" stroke-width="1.6"/></svg>`,
)}`

/** @param view - the one that this page belongs to; undefined: none, and there is nowhere to go from here */
export function pageReply(
  status: number,
  page: Page,
  context: Context,
  view: ViewName | undefined,
  headers?: Reply['headers'],
): Reply {
  return {
    status,
    type: 'text/html',
    body: `<!doctype html>\n${markupOf(document(page, context, view))}`,
    ...(headers && { headers }),
  }
}

function document({ title, lead, body }: Page, context: Context, view: ViewName | undefined): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title} · outbound TLS</title>
      <link rel="icon" href="${ICON}" />
      ${styleElement}
    </head>
    <body>
      <a class="skip" href="#main">To the content</a>
      ${view !== undefined && header(context, view)}
      <main id="main" tabindex="-1">
        <h1>${title}</h1>
        ${lead !== undefined && html`<p class="lead">${lead}</p>`} ${body}
      </main>
      <footer>
        ${view !== undefined && html`<p>All times are UTC. This page changes nothing and loads nothing from elsewhere. It is of ${new Date(context.now).toISOString().slice(0, 16).replace('T', ' ')}.</p>`}
      </footer>
    </body>
  </html> `
}

function header({ base, isLoggedIn }: Context, current: ViewName): Html {
  const items = VIEWS.map(([name, text]) => {
    const to = name === '' ? base : `${base}/${name}`
    return html`<li><a href="${to}" ${name === current && html` aria-current="page"`}>${text}</a></li>`
  })
  const logout = html`<form method="post" action="${base}/logout"><button class="quiet">Log out</button></form>`
  return html`<header>
    <div class="top"><a class="brand" href="${base}">${shield}Outbound TLS</a>${isLoggedIn && logout}</div>
    <div>
      <nav aria-label="Views">
        <ul>
          ${items}
        </ul>
      </nav>
    </div>
  </header>`
}
