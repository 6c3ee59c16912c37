/**
 * How a fetch fails, in the words of TLS reports.
 *
 * @module
 */

/** A fetch that failed, by its result type (RFC 8460 §4.3, R11). */
export interface FetchFailure {
  readonly type: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'
  /** for people; remote text in it is quoted and cut */
  readonly text: string
}
