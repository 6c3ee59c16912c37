/**
 * What the report of another operator says, once what was bent about it has been straightened (RFC 8460 §4.4, V7).
 *
 * Names and addresses are in the one form that this program has for each. All other text is as the sender wrote it, shortened and
 * well-formed UTF-16, and must be escaped wherever it is shown.
 *
 * @module
 */

import type { FailureFacts, PolicyType } from '../format'

export interface ReceivedReport {
  /** empty where the report does not say */
  readonly organization: string
  /** whom to ask about the report, as it stands there */
  readonly contact: string | undefined
  /** of that contact, in lower-case A-labels; undefined where it is no mail address */
  readonly contactDomain: string | undefined
  readonly reportId: string
  /** the first instant that the report is about, in milliseconds since 1970 */
  readonly start: number
  /** the last one: 23:59:59 with most senders, the next midnight with some */
  readonly end: number
  readonly policies: readonly ReceivedPolicy[]
}

/** One policy and its sessions. Policies of several types may be about the same sessions: see {@link sumOf}. */
export interface ReceivedPolicy {
  readonly type: PolicyType | 'other'
  /** in lower-case A-labels; undefined where the report does not say, or names none */
  readonly domain: string | undefined
  readonly strings: readonly string[]
  readonly mx: readonly string[]
  readonly successes: number
  readonly failures: number
  /** what is the same stands here once, its counts added; what is too much is folded, see {@link FOLDED} of lib/tlsrpt */
  readonly details: readonly ReceivedDetail[]
}

/** Sessions that failed in the same way. */
export interface ReceivedDetail extends Omit<FailureFacts, 'type'> {
  /** one of RFC 8460 §4.3, or what else the sender calls it (R11) */
  readonly type: string
}
