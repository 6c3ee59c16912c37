/**
 * One frozen report on its way to one rua. The caller decides how it travels: by mail or https.
 *
 * @module
 */

import type { Period } from '../format'

export interface OutgoingReport {
  /** the recipient domain whose TLSRPT record asked for it */
  readonly domain: string
  readonly period: Period
  /** the same for each destination and each repetition (R20) */
  readonly reportId: string
  /** gzip, the same bytes each time */
  readonly frozen: Uint8Array
}

/**
 * What came of one attempt; `note` is for people.
 *
 * - `accepted`: the receiver has it
 * - `queued`: Haraka's queue has it; the result is known later
 * - `failed`: worth another attempt unless `isFinal`; not before `retryAfter` where the receiver has said so, in milliseconds
 */
export type Transmission =
  | { readonly status: 'accepted'; readonly note: string }
  | { readonly status: 'queued'; readonly note: string }
  | { readonly status: 'failed'; readonly isFinal: boolean; readonly note: string; readonly retryAfter?: number }

/** Tries one destination, once. Does not reject, and comes to an end by itself. */
export type Transmit = (report: OutgoingReport, rua: string) => Promise<Transmission>
