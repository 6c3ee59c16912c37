/**
 * Why something is no report that can be read. Inside this module it is thrown; the public API returns it as a result.
 *
 * @module
 */

/** Stable: they are logged, counted and sent along in `X-TLS-Report-Error`. */
export type RefusalCode =
  | 'not-a-report'
  /** a DMARC report, by what it begins with: XML or zip; it comes to the same addresses, and is no fault of anybody */
  | 'dmarc'
  | 'malformed-gzip'
  | 'nested-gzip'
  | 'malformed-json'
  | 'too-large'
  | 'too-deep'
  | 'element-too-large'
  | 'too-many-policies'
  | 'too-many-details'
  | 'invalid-count'
  | 'missing-date'
  | 'invalid-date'
  | 'reversed-dates'
  | 'future-date'
  | 'absurd-dates'
  /** of a message: more parts or longer headers than one with reports has */
  | 'too-complex'

export interface Refusal {
  readonly code: RefusalCode
  /** for people; of printable US-ASCII */
  readonly text: string
}

export class RefusedError extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.text)
    this.name = 'RefusedError'
    this.refusal = refusal
  }
}

/** @throws {@link RefusedError} always */
export function refuse(code: RefusalCode, text: string): never {
  throw new RefusedError({ code, text })
}
