/**
 * Values of a report as they come, in whatever JSON type a sender has found right (V7).
 *
 * @module
 */

import { quote, toAsciiDomain } from '../../dns'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'

export type JsonObject = Readonly<Record<string, unknown>>

/** No sender has as many sessions in a period: a report that says so is not believed in anything else. */
const MOST_SESSIONS = 1e12
const LONGEST_SHOWN = 40

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value that is an object, or an empty one. */
export function objectOf(value: unknown, name: string, notes: ReportNotes): JsonObject {
  if (isObject(value)) return value
  if (!isMissing(value, name, notes)) notes.add('not-an-object', `${name} is no object`)
  return {}
}

/** Whether there is no value: left out, or null, which is noted. */
export function isMissing(value: unknown, name: string, notes: ReportNotes): value is null | undefined {
  if (value === null) notes.add('null-value', `${name} is null`)
  return value === null || value === undefined
}

/** A text without white space around it, cut to `longest` characters; undefined where there is none. */
export function textOf(value: unknown, name: string, longest: number, notes: ReportNotes): string | undefined {
  if (isMissing(value, name, notes)) return undefined
  if (typeof value !== 'string') notes.add('not-text', `${name} is no string`)
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value).trim()
  if (text.length > longest) notes.add('text-cut', `${name} is longer than ${longest} characters`)
  return cut(text, longest) || undefined
}

/** Never through the middle of a character; halves that were there before become U+FFFD (R7). */
function cut(text: string, longest: number): string {
  const splits = text.length > longest && /[\ud800-\udbff]/.test(text.charAt(longest - 1))
  return text.slice(0, splits ? longest - 1 : longest).toWellFormed()
}

/** The items of a list; what stands there by itself is a list of one. */
export function listOf(value: unknown, name: string, notes: ReportNotes): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (isMissing(value, name, notes)) return []
  notes.add('not-a-list', `${name} is no list`)
  return [value]
}

/**
 * A count of sessions; undefined where there is none.
 *
 * @throws RefusedError `invalid-count`, for what is negative, no integer or absurd
 */
export function countOf(value: unknown, name: string, notes: ReportNotes): number | undefined {
  if (isMissing(value, name, notes)) {
    notes.add('count-missing', `${name} is missing`)
    return undefined
  }
  const isDigits = typeof value === 'string' && /^\s*\d{1,16}\s*$/.test(value)
  if (isDigits) notes.add('count-as-string', `${name} is a string`)
  const count = isDigits ? Number(value) : value
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > MOST_SESSIONS)
    return refuse('invalid-count', `${name}: ${shown(value)}`)
  return count
}

/** A domain in lower-case A-labels; undefined for what is none. */
export function domainOf(text: string): string | undefined {
  return toAsciiDomain(text.trim())
}

/** A value in a sentence for people, in printable US-ASCII. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return quote(value.slice(0, LONGEST_SHOWN)) + (value.length > LONGEST_SHOWN ? '...' : '')
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value
}
