/**
 * The counts of one UTC day as a line of text, which is as short as any form that a machine alone can read: `0:c4n 17:n 17.42:p2` has
 * three kinds, the first with four in the hour from 02:00 and one in the hour from 13:00.
 *
 * @module
 */

import type { Period } from '../tlsrpt'
import { DAY, HOUR } from './written'

/** The hours of one UTC day that are in a period. */
export interface DayPart {
  readonly day: number
  readonly from: number
  /** not included */
  readonly to: number
}

/** The days of a period that have any hours in it. */
export function partsOf({ start, end }: Period): readonly DayPart[] {
  const first = Math.floor(start / DAY)
  const days = Math.max(0, Math.ceil(end / DAY) - first)
  return Array.from({ length: days }, (_, index) => {
    const day = first + index
    const hours = (instant: number) => Math.min(24, Math.max(0, Math.floor((instant - day * DAY) / HOUR)))
    return { day, from: hours(start), to: hours(end) }
  }).filter(({ from, to }) => from < to)
}

/** Counts by kind: what the kind is, is for its writer to know. An hour is in each at most once, in any order. */
export type DayCounts = Map<string, string>

const FIRST = 'a'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)
const FULL_STOP = '.'.charCodeAt(0)
const SPACE = ' '.charCodeAt(0)

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

/** A pattern of SQLite's GLOB for lines that have counts in those hours. */
export function anyHour({ from, to }: DayPart): string {
  return from === 0 && to === 24 ? '?*' : `*[${letterOf(from)}-${letterOf(to - 1)}]*`
}

/**
 * Adds up some hours for each kind of a line whose kinds are numbers: one, or two with a full stop
 * between them. This is done for each domain there is, so it takes no texts apart.
 *
 * @param tell - called with each sum that is not 0
 */
export function sumLine(
  line: string,
  { from, to }: DayPart,
  tell: (first: number, second: number | undefined, sum: number) => void,
): void {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let digit = digitAt(line, at); digit >= 0; digit = digitAt(line, ++at)) value = value * 10 + digit
    return value
  }
  while (at < line.length) {
    const first = number()
    const second = line.charCodeAt(at) === FULL_STOP ? (at++, number()) : undefined
    at++ // the colon
    let sum = 0
    while (at < line.length && line.charCodeAt(at) !== SPACE) {
      const hour = line.charCodeAt(at++) - FIRST
      const count = Math.max(1, number())
      if (hour >= from && hour < to) sum += count
    }
    at++
    if (sum > 0) tell(first, second, sum)
  }
}

/** Less than nothing: there is none, or the line has ended. */
function digitAt(line: string, at: number): number {
  const digit = at < line.length ? line.charCodeAt(at) - ZERO : -1
  return digit < 10 ? digit : -1
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
