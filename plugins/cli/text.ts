/**
 * Text for a terminal: nothing from outside can steer it, nothing is wider than it.
 *
 * @module
 */

import { WIDTH } from './command'

/** `text` with everything but printable US-ASCII escaped: control characters, directions of writing, look-alikes. */
export function printable(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** Our own texts shorten with one character that is not ASCII. */
export function inAscii(text: string): string {
  return text.replaceAll('…', '...')
}

/** JSON of US-ASCII alone: as JSON it is the same, and a terminal that it is printed on takes no commands from it. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * Fills lines with words. A word that is longer than a line, as a domain name can be, stays whole.
 *
 * @param first - what the first line begins with; the others are indented as far
 */
export function wrap(text: string, first = '', width = WIDTH): readonly string[] {
  const indent = ' '.repeat(first.length)
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ').filter((word) => word !== '')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line.trimEnd()]
}

/** Names and what belongs to them, in two columns. Values that are too long go on below. */
export function columns(rows: readonly (readonly [string, string])[], indent = 2): readonly string[] {
  const widest = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.flatMap(([name, text]) => wrap(text, `${' '.repeat(indent)}${name.padEnd(widest)}  `))
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

/** "3 hours": a span of milliseconds in its largest unit, rounded down. */
export function span(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => milliseconds >= length) ?? ['second', 1000]
  const count = Math.floor(Math.max(0, milliseconds) / length)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** "in 3 hours", "3 hours ago". */
export function fromNow(time: number, now: number): string {
  return time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`
}
