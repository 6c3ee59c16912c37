/**
 * What pages are put together from.
 *
 * @module
 */

import type { Time } from '../../views'
import { html, short, type Html, type Part } from '../html'

/** What a page knows of its request. */
export interface Context {
  /** the page's path */
  readonly base: string
  /** milliseconds since 1970 */
  readonly now: number
  /** whether there is something to log out from */
  readonly isLoggedIn: boolean
}

/** A stranger's text within ours: it cannot turn the line around, and is not longer than anybody reads. */
export function said(text: string, longest?: number): Html {
  return html`<bdi>${short(text, longest)}</bdi>`
}

const numbers = new Intl.NumberFormat('en-GB')

export function count(number: number): string {
  return numbers.format(number)
}

/** `1 message`, `2,000 messages`. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : several}`
}

/** `99.97 %`: never rounded up to all, nor down to nothing. */
export function share(part: number, whole: number): string {
  if (whole === 0) return ''
  const percent = (100 * part) / whole
  if (part === 0) return ''
  if (part === whole) return '100 %'
  if (percent < 0.1) return '< 0.1 %'
  return percent > 99.9 ? '> 99.9 %' : `${percent.toFixed(1)} %`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `26 Nov 14:32`, with the year where it is another one. UTC. */
export function clock(time: Time, now: number): string {
  return `${day(time, now)} ${time.slice(11, 16)}`
}

/** `26 Nov`. */
export function day(time: Time, now: number): string {
  const date = new Date(time)
  const year = date.getUTCFullYear()
  const isThisYear = year === new Date(now).getUTCFullYear()
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}${isThisYear ? '' : ` ${year}`}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const

/** `in 3 h`, `5 d ago`, `now`. */
export function fromNow(time: Time, now: number): string {
  const distance = Date.parse(time) - now
  const unit = UNITS.find(([, length]) => Math.abs(distance) >= length)
  if (unit === undefined) return 'now'
  const number = Math.floor(Math.abs(distance) / unit[1])
  return distance > 0 ? `in ${number} ${unit[0]}` : `${number} ${unit[0]} ago`
}

/** An instant, and how far away it is. */
export function when(time: Time | null, { now }: Context): Html {
  if (time === null) return html`<span class="faint">–</span>`
  return html`<time datetime="${time}">${clock(time, now)}</time>
    <span class="faint small">${fromNow(time, now)}</span>`
}

/** How far away an instant is. */
export function distance(time: Time | null, { now }: Context): Html {
  if (time === null) return html`<span class="faint">–</span>`
  return html`<time datetime="${time}" title="${clock(time, now)} UTC">${fromNow(time, now)}</time>`
}

/** A number that should be none. */
export function failed(number: number): Part {
  return number > 0 ? html`<span class="bad">${count(number)}</span>` : '0'
}

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => Part
  /** how it is set */
  readonly kind?: 'number' | 'when' | 'why' | 'code'
}

/** A table whose first column names the row. On a phone each row is a card; the roles make it stay a table for those who do not see it. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  isDense = false,
): Html {
  const [first, ...others] = columns
  if (first === undefined) return html``
  return html`<div class="${isDense ? 'scroll numbers' : 'cards'}" ${isDense && scrolls(caption)}>
    <table role="table">
      <caption class="unseen">
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map(({ head, kind }) => html`<th role="columnheader" scope="col" class="${kind ?? ''}">${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) =>
            html`<tr role="row">
              <th role="rowheader" scope="row">${first.cell(row)}</th>
              ${others.map(
                ({ head, cell, kind }) =>
                  html`<td role="cell" class="${kind ?? ''}" data-label="${head}">${cell(row)}</td>`,
              )}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

/** What may be wider than the page can be scrolled to with the keyboard, too. */
function scrolls(name: string): Html {
  return html` tabindex="0" role="region" aria-label="${name}"`
}

/** A part of the page under its heading. */
export function section(id: string, heading: string, body: Part, beside?: Part): Html {
  return html`<section aria-labelledby="${id}">
    <div class="head">
      <h2 id="${id}">${heading}</h2>
      ${beside}
    </div>
    ${body}
  </section> `
}

/** What stands where there is nothing to see. */
export function empty(what: string, hint?: Part): Html {
  return html`<p class="empty"><strong>${what}</strong>${hint}</p>`
}

/** What could not be read. */
export function problemNote(problems: readonly string[]): Part {
  if (problems.length === 0) return undefined
  const lines = problems.map((problem) => html`<li>${said(problem, 500)}</li>`)
  return html`<div class="note wrong" role="alert">
    <strong>Some figures are missing.</strong>
    <ul>
      ${lines}
    </ul>
  </div>`
}

export function facts(rows: readonly (readonly [string, Part])[]): Html {
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`
}

/** Ways to see the same: `[text, address, whether it is this one]`. */
export function choice(name: string, options: readonly (readonly [string, string, boolean])[]): Html {
  const items = options.map(
    ([text, to, isCurrent]) => html`<li><a href="${to}" ${isCurrent && html` aria-current="true"`}>${text}</a></li>`,
  )
  return html`<ul class="choice" aria-label="${name}">
    ${items}
  </ul>`
}

export function searchForm(
  action: string,
  label: string,
  value: string,
  kept: Readonly<Record<string, string>> = {},
): Html {
  const hidden = Object.entries(kept).map(
    ([name, text]) => html`<input type="hidden" name="${name}" value="${text}" />`,
  )
  return html`<form class="search" role="search" method="get" action="${action}">
    ${hidden}<input
      type="search"
      name="search"
      value="${value}"
      aria-label="${label}"
      placeholder="${label}"
      maxlength="253"
      autocapitalize="none"
      spellcheck="false"
    /><button>Search</button>
  </form>`
}

/** An address with its query. */
export function address(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return text === '' ? path : `${path}?${text}`
}

/** @param after - where the next page begins; null: there is none */
export function nextPage(path: string, query: Parameters<typeof address>[1], after: string | number | null): Part {
  return (
    after !== null && html`<p class="more"><a href="${address(path, { ...query, after })}" rel="next">Next page</a></p>`
  )
}

export function destinationLink({ base }: Context, domain: string): Html {
  return html`<a href="${base}/destinations/${encodeURIComponent(wellFormed(domain))}">${said(domain, 120)}</a>`
}

/** Half a character has no place in an address. */
export function wellFormed(text: string): string {
  return text.toWellFormed()
}
