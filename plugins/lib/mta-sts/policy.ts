/**
 * The policy file: which MX hosts a domain commits itself to, how strictly, and for how long (RFC 8461 §3.2).
 *
 * The parser is our own. mailauth's keeps neither the text that TLS reports quote nor the line an error is on, passes over lines
 * that are no fields, and gives a policy up whose max_age is too large, which would leave the domain without any (T11).
 *
 * @module
 */

import { quote } from '../dns'

export type StsMode = 'enforce' | 'testing' | 'none'

/** A valid policy. */
export interface StsPolicy {
  readonly mode: StsMode
  /** lower-case patterns: a host name, or `*.` for exactly one label before a name (T23); may be empty in mode none only */
  readonly mx: readonly string[]
  /** how long it may be used after it was fetched: seconds, at most {@link LONGEST_MAX_AGE}; 0: not to be cached */
  readonly maxAge: number
  /** the file as it was fetched, for reports (R14) */
  readonly text: string
  /** what was accepted although a stricter reader would not have */
  readonly notes: readonly string[]
}

/** Why a file is no policy. */
export interface PolicyError {
  readonly type: 'sts-policy-invalid'
  readonly detail: 'syntax' | 'version' | 'mode' | 'max-age' | 'mx'
  /** counted from 1; absent where something is missing altogether */
  readonly line?: number
  /** for people; remote text in it is quoted and cut */
  readonly text: string
}

export type StsPolicyResult =
  { readonly ok: true; readonly policy: StsPolicy } | { readonly ok: false; readonly error: PolicyError }

/** A year of 365.25 days, in seconds (RFC 8461 §3.2). */
export const LONGEST_MAX_AGE = 31_557_600

/** One `key: value` line, and where it stands. */
interface Field {
  readonly line: number
  readonly key: string
  readonly value: string
}

// T9: white space behind the colon and at the end only; a value may hold any text of UTF-8 but control characters
const FIELD =
  /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*([!-~\u0080-\u{10ffff}](?:[ -~\u0080-\u{10ffff}]*[!-~\u0080-\u{10ffff}])?)[ \t]*$/u
const MX_PATTERN = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
const LONGEST_NAME = 253

/**
 * Reads a policy file, strictly by the grammar but for what helps a domain keep its policy: blank lines at the end (T9), and a
 * max_age beyond a year, which is cut to it (T11). Either is noted.
 *
 * @param body - the file, decoded; the caller has bounded its size
 */
export function readStsPolicy(body: string): StsPolicyResult {
  const { lines, blankAtEnd } = splitLines(body)
  const fields = lines.map(readField)
  const broken = fields.indexOf(undefined)
  if (broken !== -1) return invalid('syntax', broken + 1, `no "key: value": ${quote(lines[broken] ?? '')}`)
  return readFields(
    fields.filter((field) => field !== undefined),
    body,
    blankAtEnd ? ['blank lines at the end'] : [],
  )
}

/** What the fields say; unknown ones are passed over, and of repeated ones the first counts (T10). */
function readFields(fields: readonly Field[], text: string, notes: readonly string[]): StsPolicyResult {
  const first = (key: string): Field | undefined => fields.find((field) => field.key === key)

  const version = first('version')
  if (version?.value !== 'STSv1') return wrong('version', 'version', version, 'STSv1')
  const mode = first('mode')
  if (!isMode(mode?.value)) return wrong('mode', 'mode', mode, 'enforce, testing or none')
  const maxAge = first('max_age')
  if (!maxAge || !/^\d{1,10}$/.test(maxAge.value)) return wrong('max-age', 'max_age', maxAge, 'a number of seconds')

  const mx = fields.filter((field) => field.key === 'mx')
  const badMx = mx.find((field) => !isMxPattern(field.value))
  if (badMx) return wrong('mx', 'mx', badMx, 'a host name of A-labels, or "*." and one')
  if (mx.length === 0 && mode.value !== 'none') return wrong('mx', 'mx', undefined, 'a host name')

  const tooLong = Number(maxAge.value) > LONGEST_MAX_AGE
  return {
    ok: true,
    policy: {
      mode: mode.value,
      mx: [...new Set(mx.map((field) => field.value.toLowerCase()))],
      maxAge: Math.min(Number(maxAge.value), LONGEST_MAX_AGE),
      text,
      notes: [...notes, ...repetitions(fields), ...(tooLong ? [`max_age cut to ${LONGEST_MAX_AGE} seconds`] : [])],
    },
  }
}

/** The lines, LF and CRLF alike (erratum 6253), without the blank ones at the end. */
function splitLines(body: string): { readonly lines: readonly string[]; readonly blankAtEnd: boolean } {
  const lines = body.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop() // what the last line end leaves behind
  const used = lines.findLastIndex((line) => !/^[ \t]*$/.test(line)) + 1
  return { lines: lines.slice(0, used), blankAtEnd: used < lines.length }
}

function readField(text: string, index: number): Field | undefined {
  const [, key, value] = FIELD.exec(text) ?? []
  return key === undefined || value === undefined ? undefined : { line: index + 1, key, value }
}

function isMode(value: string | undefined): value is StsMode {
  return value === 'enforce' || value === 'testing' || value === 'none'
}

function isMxPattern(value: string): boolean {
  return value.length <= LONGEST_NAME && MX_PATTERN.test(value)
}

function repetitions(fields: readonly Field[]): readonly string[] {
  return ['version', 'mode', 'max_age']
    .filter((key) => fields.filter((field) => field.key === key).length > 1)
    .map((key) => `${key} more than once, the first counts`)
}

/** The error about one key: that it is missing, or what it should be instead. */
function wrong(
  detail: PolicyError['detail'],
  key: string,
  field: Field | undefined,
  expected: string,
): StsPolicyResult {
  if (!field) return invalid(detail, undefined, `${key} is missing`)
  return invalid(detail, field.line, `${key} must be ${expected}, not ${quote(field.value)}`)
}

function invalid(detail: PolicyError['detail'], line: number | undefined, what: string): StsPolicyResult {
  const error = { type: 'sts-policy-invalid', detail } as const
  return {
    ok: false,
    error: line === undefined ? { ...error, text: what } : { ...error, line, text: `line ${line}: ${what}` },
  }
}
