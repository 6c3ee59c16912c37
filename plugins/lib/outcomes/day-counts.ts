/**
 * The counts of one UTC day as a line of text, which is as short as any form that a machine alone can read: `0:c4n 17:n 17.42:p2` has
 * three kinds, the first with four in the hour from 02:00 and one in the hour from 13:00.
 *
 * @module
 */

/** Counts by kind: what the kind is, is for its writer to know. An hour is in each at most once, in any order. */
export type DayCounts = Map<string, string>

const FIRST = 'a'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/** Takes a line apart; no line has no counts. */
export function readDay(line: string): DayCounts {
  const counts: DayCounts = new Map()
  if (line === '') return counts
  for (const part of line.split(' ')) {
    const colon = part.indexOf(':')
    counts.set(part.slice(0, colon), part.slice(colon + 1))
  }
  return counts
}

export function writeDay(counts: DayCounts): string {
  return Array.from(counts, ([kind, hours]) => `${kind}:${hours}`).join(' ')
}

/** @param hour - of the day, 0 to 23 */
export function addHour(counts: DayCounts, kind: string, hour: number, count: number): void {
  const hours = counts.get(kind) ?? ''
  const letter = letterOf(hour)
  const at = hours.indexOf(letter)
  if (at < 0) {
    counts.set(kind, `${hours}${letter}${count === 1 ? '' : count}`)
    return
  }
  const rest = hours.slice(at + 1)
  const digits = /^\d*/.exec(rest)?.[0] ?? ''
  const sum = count + (digits === '' ? 1 : Number(digits))
  counts.set(kind, `${hours.slice(0, at + 1)}${sum}${rest.slice(digits.length)}`)
}

/** The kinds that have counts in an hour. */
export function kindsOf(counts: DayCounts, hour: number): readonly string[] {
  const letter = letterOf(hour)
  return [...counts].filter(([, hours]) => hours.includes(letter)).map(([kind]) => kind)
}

/** A pattern of SQLite's GLOB for lines that have counts in the hours `from` to `to`, which is not included. */
export function anyHour(from: number, to: number): string {
  return from < to ? `*[${letterOf(from)}-${letterOf(to - 1)}]*` : ''
}

/** The sum of the hours `from` to `to`, which is not included. */
export function sumOf(hours: string, from: number, to: number): number {
  let sum = 0
  for (let at = 0; at < hours.length;) {
    const hour = hours.charCodeAt(at++) - FIRST
    let count = 0
    for (let digit = digitAt(hours, at); digit >= 0; digit = digitAt(hours, ++at)) count = count * 10 + digit
    if (hour >= from && hour < to) sum += Math.max(1, count)
  }
  return sum
}

/** Less than nothing: there is none, or the text has ended. */
function digitAt(text: string, at: number): number {
  return at < text.length && text.charCodeAt(at) < FIRST ? text.charCodeAt(at) - ZERO : -1
}

/** Each hour with its count, in any order. */
export function hoursOf(hours: string): readonly (readonly [hour: number, count: number])[] {
  return Array.from(hours.matchAll(/([a-x])(\d*)/g), ([, letter = '', digits]) => [
    letter.charCodeAt(0) - FIRST,
    digits === '' ? 1 : Number(digits),
  ])
}

function letterOf(hour: number): string {
  return String.fromCharCode(FIRST + hour)
}
