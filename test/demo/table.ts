/**
 * The demo's table, as text of a given width. Pure, but for who asks whether there is a terminal.
 *
 * @module
 */
import { stripVTControlCharacters, styleText } from 'node:util'
import type { Expectation, Scenario } from './scenarios.ts'
import { isAsExpected, type Attempt, type Result } from './world.ts'

export type Style = Parameters<typeof styleText>[0]

/** Styles text, or leaves it as it is where nobody would see it. */
export type Paint = (style: Style, text: string) => string

export interface Layout {
  /** columns; the table is never narrower than 80 nor wider than 100 */
  readonly width: number
  readonly paint: Paint
}

/** How a stream wants its text: as wide as the terminal; in colour on a terminal, if NO_COLOR does not say otherwise. */
export function layoutFor(stream: NodeJS.WriteStream): Layout {
  const width = Math.min(Math.max(stream.columns || 96, 80), 100)
  // styleText knows NO_COLOR, FORCE_COLOR and whether the stream is a terminal
  return { width, paint: (style, text) => styleText(style, text, { stream }) }
}

const MARK = 3
const DOMAIN = 20
const RESULT = 28

export function heading(layout: Layout): string {
  const cells = [['Destination'], ['What is special about it'], ['What became of the message']] as const
  return layout.paint('bold', row(layout, '', cells))
}

export function chapterHeading({ paint }: Layout, title: string): string {
  return `\n${paint(['bold', 'underline'], title)}`
}

/** A destination: a row, and below it why it came to this. */
export function scenarioRows(layout: Layout, scenario: Scenario, attempts: readonly Attempt[]): string {
  const { paint, width } = layout
  const good = meetsExpectations(scenario, attempts)
  const mark = paint(good ? 'green' : 'red', good ? '✓' : '✗')
  const result = attempts.flatMap((attempt, index) => {
    const which = index === 0 ? '' : scenario.expect[index]?.again === true ? 'next message: ' : 'retry: '
    const text = `${which}${resultText(attempt.result)}`
    return wrap(text, RESULT).map((line) => paint(colourOf(attempt.result), line))
  })
  const special = wrap(scenario.special, specialWidth(width) - 2)
  const story = attempts.flatMap((attempt) => attempt.story).flatMap((line) => wrap(line, width - 5, '  '))
  const expected = good ? [] : wrap(`expected: ${expectationsText(scenario.expect)}`, width - 5, '  ')
  return [
    row(layout, mark, [[paint('bold', scenario.domain)], special, result]),
    ...story.map((line) => `     ${paint('dim', line)}`),
    ...expected.map((line) => `     ${paint('red', line)}`),
  ].join('\n')
}

export function meetsExpectations({ expect }: Scenario, attempts: readonly Attempt[]): boolean {
  return expect.every((expected, index) => isAsExpected(attempts[index], expected))
}

function specialWidth(width: number): number {
  return width - MARK - DOMAIN - RESULT
}

function row({ width }: Layout, mark: string, cells: readonly (readonly string[])[]): string {
  const widths = [DOMAIN, specialWidth(width), RESULT]
  const height = Math.max(...cells.map((lines) => lines.length))
  const lines = Array.from({ length: height }, (_, line) => {
    const text = cells.map((cell, column) => pad(cell[line] ?? '', widths[column] ?? 0)).join('')
    return `${pad(line === 0 && mark !== '' ? ` ${mark}` : '', MARK)}${text}`.trimEnd()
  })
  return lines.join('\n')
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stripVTControlCharacters(text).length))
}

function resultText(result: Result): string {
  if (result.status === 'delivered') return `delivered to ${result.host}, ${result.level}`
  return result.status === 'unexpected' ? `wrong: ${result.text}` : `${result.status}, ${result.code}`
}

function colourOf(result: Result): Style {
  if (result.status === 'unexpected') return 'red'
  if (result.status !== 'delivered') return 'yellow'
  return result.level === 'Verified' || result.level === 'Trusted' ? 'green' : 'cyan'
}

function expectationsText(expectations: readonly Expectation[]): string {
  return expectations.map((one) => `${whatIsExpected(one)}, because of "${one.because}"`).join('; then ')
}

function whatIsExpected(one: Expectation): string {
  if ('deferred' in one) return `deferred, ${one.deferred}`
  return 'bounced' in one ? `bounced, ${one.bounced}` : `delivered to ${one.delivered}, ${one.level}`
}

/** Breaks text into lines of at most `width` characters, between words where it can; all but the first begin with `indent`. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  for (const word of wordsOf(text)) {
    const line = lines.at(-1)
    if (line === undefined) lines.push(word)
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(`${indent}${word}`)
  }
  return lines
}

/** "RFC 7672 2.2" is one word. */
function wordsOf(text: string): string[] {
  return text.match(/\(?RFC \d+(?: \d\S*)?|\S+/g) ?? []
}
