/**
 * Cuts a report into pieces that are small enough to be parsed one by one, so that a report of any size takes little memory and never
 * holds up anyone for long: batches of failure details, policies without their details, and the report without its policies.
 *
 * Only the structure is looked at here: strings, brackets, and the names of the two arrays that can be long. Every byte ends up in one
 * piece, and whether a piece is JSON is for JSON.parse to say.
 *
 * @module
 */

import { isUtf8 } from 'node:buffer'
import type { ReportNotes } from './notes'
import { refuse } from './refusal'
import { createSink, type Sink, type SunkText } from './sink'

/** Is given the pieces, in the order they come. */
export interface Pieces {
  /** failure details of the policy that comes next */
  details(values: readonly unknown[]): void
  /** a policy, but for details that have come before */
  policy(value: unknown): void
}

export interface Scanner {
  /** @returns how many bytes belong to the report: those behind its end do not */
  scan(chunk: Buffer): number
  /** whether the last bracket has been closed */
  isComplete(): boolean
  /** The report, with `{}` for each policy that came as a piece. */
  finish(): unknown
}

/** Where in a report: its own members, the array of policies, one of those, the array of its details. */
type Place = 'report' | 'policies' | 'policy' | 'details'

const LARGEST_ELEMENT = 256 * 1024
const DEEPEST = 32
const MOST_POLICIES = 1000
const MOST_DETAILS = 1_000_000

const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x7b, 0x7d] as const

/** What a byte outside of strings is: all that structure is made of, and the rest. */
const [STRING, OPEN, CLOSE, COLON, COMMA] = [1, 2, 3, 4, 5] as const
const kinds = new Uint8Array(256)
for (const [kind, characters] of Object.entries({
  [STRING]: '"',
  [OPEN]: '{[',
  [CLOSE]: '}]',
  [COLON]: ':',
  [COMMA]: ',',
}))
  for (const character of characters) kinds[character.charCodeAt(0)] = Number(kind)

/** How deep inside brackets something stands. */
const depthOf = { report: 1, policies: 2, policy: 3, details: 4 } as const

/**
 * A scanner for one report.
 *
 * @throws RefusedError, from all its functions: `malformed-json`, `too-deep`, `element-too-large`, `too-many-policies`, `too-many-details`
 */
export function createScanner(pieces: Pieces, notes: ReportNotes): Scanner {
  const sinks = {
    report: createSink('a report without its policies', LARGEST_ELEMENT),
    policy: createSink('a policy without its details', LARGEST_ELEMENT),
    details: createSink('a failure detail', LARGEST_ELEMENT),
  }
  let place: Place = 'report'
  let depth = 0
  let inString = false
  let afterBackslash = false
  /** of failure details: what has been taken of them ends in one, and then in a comma */
  let isBetween = false
  let afterComma = false
  let policies = 0
  let details = 0
  /** of the chunk, where what has not been put into a sink begins */
  let from = 0

  const here = (): Sink => sinks[place === 'policies' ? 'report' : place]

  const keep = (chunk: Buffer, to: number): void => {
    here().add(chunk.subarray(from, to))
    from = to
  }

  const emitDetails = (values: readonly unknown[]): void => {
    details += values.length
    if (details > MOST_DETAILS) refuse('too-many-details', `more than ${MOST_DETAILS} failure details`)
    pieces.details(values)
  }

  /** Takes the details up to `at`, where a comma or the end of their array is. */
  const endDetails = (chunk: Buffer, at: number, isComma: boolean): void => {
    keep(chunk, at)
    const values = parseItems(sinks.details.take(), notes)
    if (values.length === 0 ? !isBetween && (afterComma || isComma) : isBetween)
      refuse('malformed-json', 'a comma too many, or too few')
    emitDetails(values)
    isBetween = false
    afterComma = isComma
  }

  /**
   * Takes all details that are in the chunk as a whole, without looking at their structure: a text that ends with a bracket and is
   * well-formed cannot have ended anywhere else.
   *
   * @returns where what has not been taken begins
   */
  const takeWholeDetails = (chunk: Buffer, start: number): number => {
    const end = chunk.lastIndexOf(CLOSE_OBJECT) + 1
    const values = end > start ? tryItems(chunk.subarray(start, end)) : undefined
    if (values === undefined) return start
    emitDetails(values)
    isBetween = true
    from = end
    return end
  }

  const open = (chunk: Buffer, at: number): void => {
    depth++
    // what is in a detail is for JSON.parse alone, which needs no stack for it
    if (depth > DEEPEST && place !== 'details') refuse('too-deep', `more than ${DEEPEST} brackets inside each other`)
    if (chunk[at] === OPEN_OBJECT) {
      if (place !== 'policies' || depth !== depthOf.policy) return
      if (++policies > MOST_POLICIES) refuse('too-many-policies', `more than ${MOST_POLICIES} policies`)
      keep(chunk, at)
      place = 'policy'
    } else if (place === 'report' && depth === depthOf.policies) {
      keep(chunk, at + 1)
      if (sinks.report.opensArrayOf('policies')) place = 'policies'
    } else if (place === 'policy' && depth === depthOf.details) {
      keep(chunk, at + 1)
      if (sinks.policy.opensArrayOf('failure-details')) {
        place = 'details'
        isBetween = false
        afterComma = false
      }
    }
  }

  const close = (chunk: Buffer, at: number): void => {
    if (depth === depthOf[place]) {
      if (place === 'details') {
        endDetails(chunk, at, false)
        place = 'policy'
      } else if (place === 'policy') {
        keep(chunk, at + 1)
        pieces.policy(parseMembers(sinks.policy.take(), notes))
        sinks.report.add(Buffer.from('{}'))
        place = 'policies'
      } else place = 'report'
    }
    depth--
  }

  const scanFrom = (chunk: Buffer): number => {
    let at = inString ? endOfString(chunk, 0) + 1 : 0
    for (; at < chunk.length; at++) {
      switch (kinds[chunk[at] ?? 0]) {
        case STRING:
          at = endOfString(chunk, at + 1)
          break
        case OPEN:
          open(chunk, at)
          if (place === 'details' && depth === depthOf.details) at = takeWholeDetails(chunk, at + 1) - 1
          break
        case CLOSE:
          close(chunk, at)
          if (depth === 0) return at + 1
          break
        case COLON:
          here().colons++
          break
        case COMMA:
          if (place !== 'details' || depth !== depthOf.details || !(isBetween || sinks.details.length > 0)) break
          endDetails(chunk, at, true)
          from = at + 1
          at = takeWholeDetails(chunk, at + 1) - 1
      }
    }
    return chunk.length
  }

  /** @returns where the closing quote is, or the end of the chunk */
  const endOfString = (chunk: Buffer, start: number): number => {
    let at = afterBackslash ? start + 1 : start
    for (; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === QUOTE) break
      if (byte === BACKSLASH) at++
    }
    inString = at >= chunk.length
    afterBackslash = at > chunk.length
    return at
  }

  return {
    scan: (chunk) => {
      from = 0
      const end = scanFrom(chunk)
      keep(chunk, end)
      return end
    },
    isComplete: () => depth === 0 && sinks.report.length > 0,
    finish: () => {
      if (depth !== 0) refuse('malformed-json', 'it ends before its end')
      return parseMembers(sinks.report.take(), notes)
    },
  }
}

function parseMembers({ text, colons, isUtf8 }: SunkText, notes: ReportNotes): unknown {
  if (!isUtf8) noteEncoding(notes)
  const value = parse(text) ?? refuse('malformed-json', 'not well-formed')
  if (membersOf(value) < colons) notes.add('repeated-keys', 'of members with the same name the last one counts')
  return value
}

function parseItems({ text, isUtf8 }: SunkText, notes: ReportNotes): readonly unknown[] {
  if (!isUtf8) noteEncoding(notes)
  return (parse(`[${text}]`) as unknown[] | undefined) ?? refuse('malformed-json', 'not well-formed')
}

function tryItems(bytes: Buffer): readonly unknown[] | undefined {
  return isUtf8(bytes) ? (parse(`[${bytes.toString()}]`) as unknown[] | undefined) : undefined
}

function noteEncoding(notes: ReportNotes): void {
  notes.add('not-utf-8', 'octets that are no UTF-8 have been replaced')
}

/** What JSON.parse says is wrong quotes the text, and is better not repeated. Undefined is no JSON value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of all objects in a value, whose depth is limited by now. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values = Object.values(value)
  return (Array.isArray(value) ? 0 : values.length) + values.reduce<number>((sum, item) => sum + membersOf(item), 0)
}
