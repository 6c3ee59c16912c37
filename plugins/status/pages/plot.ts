/**
 * Plots, as SVG that is stretched to the width there is: whatever is to be read stands beside it. Each has the same numbers as a table.
 *
 * @module
 */

import { LEVELS } from '../../lib/monitor'
import type { Connections } from '../data/connections'
import { html, type Html } from '../html'
import { LEVEL_LOOKS, levelStatus } from './marks'
import { clock, count, day, share, table, type Context } from './parts'

const HEIGHT = 40
const WIDTH = 10
const GAP = 1.5

interface Bar {
  readonly value: number
  readonly title: string
}

/** @param name - what it shows, for those who do not see it */
function bars(id: string, name: string, description: string, all: readonly Bar[], className: string): Html {
  const highest = Math.max(1, ...all.map(({ value }) => value))
  const columns = all.map(({ value, title }, index) => {
    const height = value === 0 ? 0 : Math.max(1.5, (value / highest) * (HEIGHT - 1))
    const bar = html`<rect
      class="bar"
      x="${index * WIDTH + GAP / 2}"
      y="${fixed(HEIGHT - height)}"
      width="${WIDTH - GAP}"
      height="${fixed(height)}"
    />`
    return html`<g
      ><title>${title}</title
      ><rect class="hit" x="${index * WIDTH}" y="0" width="${WIDTH}" height="${HEIGHT}" />${value > 0 && bar}</g
    >`
  })
  return html`<svg
    class="plot ${className}"
    viewBox="0 0 ${all.length * WIDTH} ${HEIGHT}"
    preserveAspectRatio="none"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
  >
    <title id="${id}-t">${name}</title>
    <desc id="${id}-d">${description}</desc>
    ${columns}
  </svg>`
}

function fixed(number: number): string {
  return number.toFixed(2)
}

/** One row for each level, each with a scale of its own: what is rare is what one wants to see. */
export function levelPlot(id: string, { columns, totals, step, from, to }: Connections, context: Context): Html {
  const whole = Object.values(totals).reduce((sum, value) => sum + value, 0)
  const title = (at: string | null, value: number) =>
    `${at === null ? '' : columnName(at, step, context.now)}: ${count(value)}`
  const rows = LEVELS.map((level) => {
    const { word, tone, meaning } = LEVEL_LOOKS[level]
    const values = columns.map(({ at, counts }) => ({ value: counts[level], title: title(at, counts[level]) }))
    const highest = Math.max(0, ...values.map(({ value }) => value))
    const most = `at most ${count(highest)} ${stepName(step)}`
    return html`<div class="${totals[level] === 0 && 'none'}">
      <div class="name" title="${meaning}">${levelStatus(level)}</div>
      <div class="plot-cell">${bars(`${id}-${level}`, `${word}: ${count(totals[level])}`, most, values, tone)}</div>
      <div class="sum"><b>${count(totals[level])}</b> <span>${share(totals[level], whole)}</span></div>
    </div> `
  })
  return html`<div class="levels">
      ${rows}
      <div><span class="axis">${axis(from, to, step, context)}</span></div>
    </div>
    <p class="faint">Each row has a scale of its own, up to its highest bar.</p>
    <details>
      <summary>The same numbers as a table</summary>
      ${numberTable(columns, step, context)}
    </details>`
}

function axis(from: string | null, to: string | null, step: number, { now }: Context): Html {
  const format = step < 86_400 ? clock : day
  const end = step < 86_400 ? 'now' : 'today'
  return html`<span>${from && format(from, now)}</span><span>${to && end}</span>`
}

function columnName(at: string, step: number, now: number): string {
  return step < 86_400 ? clock(at, now) : day(at, now)
}

function stepName(step: number): string {
  return step === 3600 ? 'an hour' : step === 86_400 ? 'a day' : `in ${step / 3600} hours`
}

function numberTable(columns: Connections['columns'], step: number, { now }: Context): Html {
  const levels = LEVELS.map((level) => ({
    head: LEVEL_LOOKS[level].word,
    kind: 'number' as const,
    cell: ({ counts }: Connections['columns'][number]) => count(counts[level]),
  }))
  const name = { head: 'From (UTC)', cell: ({ at }: Connections['columns'][number]) => at && columnName(at, step, now) }
  return table(`Connections by level, ${stepName(step)}`, [name, ...levels], columns.toReversed(), true)
}

/** A small one for a row of a table: failures of the last days. */
export function dayBars(
  id: string,
  name: string,
  days: readonly { readonly day: string; readonly failures: number }[],
): Html {
  const values = days.map(({ day, failures }) => ({ value: failures, title: `${day}: ${count(failures)} failed` }))
  const most = Math.max(0, ...values.map(({ value }) => value))
  return bars(id, name, `at most ${count(most)} a day`, values, 'days bad')
}
