/**
 * One element of `policies`: a policy, and the sessions under it (RFC 8460 §4.2).
 *
 * @module
 */

import { policyTypes } from '../format'
import type { Details } from './details'
import { countOf, domainOf, isMissing, isObject, listOf, objectOf, shown, textOf, type JsonObject } from './fields'
import type { ReportNotes } from './notes'
import type { ReceivedPolicy } from './report'

const MOST_STRINGS = 100
const LONGEST_STRING = 1000
const LONGEST_TEXT = 255
/** Of a JSON list inside of a string, in characters. */
const LONGEST_LIST = MOST_STRINGS * LONGEST_STRING
/** Of all policy strings and MX patterns of a report together, in characters. */
const MOST_TEXT = 1_000_000

/** What is left of what a report may have. */
export interface TextBudget {
  characters: number
}

export function createTextBudget(): TextBudget {
  return { characters: MOST_TEXT }
}

/**
 * Reads a policy.
 *
 * @param details - the failure details that have come with it already; those that are in `value` are added
 * @throws RefusedError `invalid-count`
 */
export function readPolicy(value: unknown, details: Details, budget: TextBudget, notes: ReportNotes): ReceivedPolicy {
  const element = objectOf(value, 'an element of policies', notes)
  const policy = objectOf(element.policy, 'policy', notes)
  const summary = objectOf(element.summary, 'summary', notes)
  details.add(listOf(element['failure-details'], 'failure-details', notes))
  const failures = countOf(summary['total-failure-session-count'], 'total-failure-session-count', notes)
  const failed = details.take(failures)
  if (failures !== undefined && failures !== failed.count)
    notes.add('counts-differ', `${failures} failures, ${failed.count} in the details`)
  return {
    type: policyType(policy, notes),
    domain: policyDomain(policy, notes),
    strings: strings(policy['policy-string'], 'policy-string', budget, notes),
    mx: strings(policy['mx-host'], 'mx-host', budget, notes).map(mxPattern),
    successes: countOf(summary['total-successful-session-count'], 'total-successful-session-count', notes) ?? 0,
    failures: failures ?? failed.count,
    details: failed.details,
  }
}

/** Whether this is an element of `policies`, or something that stands among them. */
export function isPolicy(value: unknown, notes: ReportNotes): boolean {
  if (isObject(value)) return true
  if (!isMissing(value, 'an element of policies', notes)) notes.add('not-an-object', `a policy is ${shown(value)}`)
  return false
}

function policyType(policy: JsonObject, notes: ReportNotes): ReceivedPolicy['type'] {
  const text = textOf(policy['policy-type'], 'policy-type', LONGEST_TEXT, notes)
  const type = policyTypes.find((known) => known === text?.toLowerCase())
  if (type === undefined) notes.add('policy-type-unknown', `policy-type: ${shown(text ?? '')}`)
  return type ?? 'other'
}

function policyDomain(policy: JsonObject, notes: ReportNotes): string | undefined {
  const text = textOf(policy['policy-domain'], 'policy-domain', LONGEST_TEXT, notes)
  if (text === undefined) {
    notes.add('policy-domain-missing', 'a policy without policy-domain')
    return undefined
  }
  const domain = domainOf(text)
  if (domain === undefined) notes.add('policy-domain-invalid', `policy-domain: ${shown(text)}`)
  return domain
}

/** Some write a policy as it was fetched, as one string. */
function strings(value: unknown, name: string, budget: TextBudget, notes: ReportNotes): readonly string[] {
  if (typeof value === 'string') notes.add('not-a-list', `${name} is a string`)
  const lines = typeof value === 'string' && jsonListIn(value) === undefined ? linesOf(value) : value
  const list = typeof lines === 'string' ? [lines] : listOf(lines, name, notes)
  const items = list.slice(0, MOST_STRINGS + 1).flatMap((item) => unwrapped(item, name, notes))
  const read: string[] = []
  for (const item of items.slice(0, MOST_STRINGS)) {
    const text = textOf(item, name, Math.min(LONGEST_STRING, budget.characters), notes)
    budget.characters -= text?.length ?? 0
    if (text !== undefined) read.push(text)
  }
  if (items.length > MOST_STRINGS) notes.add('policy-strings-cut', `${name} has more than ${MOST_STRINGS} strings`)
  return read
}

/** Microsoft writes a TLSA set as a list inside of a string: it stands for its items. */
function unwrapped(item: unknown, name: string, notes: ReportNotes): unknown {
  const list = typeof item === 'string' ? jsonListIn(item) : undefined
  if (list === undefined) return item
  notes.add('list-in-string', `${name} has a JSON list inside of a string`)
  return list
}

/** The strings of a JSON list of strings; undefined for any other text. */
function jsonListIn(text: string): readonly string[] | undefined {
  if (!/^\s*\[\s*"/.test(text) || text.length > LONGEST_LIST) return undefined
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
  } catch {
    return undefined
  }
}

function linesOf(text: string): readonly string[] {
  return text.split(/[\r\n]+/, MOST_STRINGS + 1).filter((line) => line.trim() !== '')
}

/** Patterns that are none are left as they are, for people. */
function mxPattern(pattern: string): string {
  if (pattern.startsWith('*.')) return `*.${domainOf(pattern.slice(2)) ?? pattern.slice(2)}`
  return domainOf(pattern) ?? pattern
}
