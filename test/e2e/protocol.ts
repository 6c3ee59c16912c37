/**
 * What a test and the Haraka that it started say to each other.
 *
 * @module
 */

/** config/ground.json */
export interface GroundSettings {
  /** a file in the folder of Haraka itself: its own modules are found from there */
  readonly core: string
  /** DNS server of core itself, "127.0.0.1:5353"; empty: the system's */
  readonly resolver: string
  /** where core itself finds hosts in DNS it delivers to this port, not 25 */
  readonly mxPort?: number | undefined
  /** all of it asks a clock that the test moves on */
  readonly clock?: boolean | undefined
}

/** What became of one recipient; the rest is what Haraka keeps for the bounce. */
export interface RecipientResult {
  readonly address: string
  readonly reason: string | undefined
  /** enhanced status, "4.7.5" */
  readonly status: string | undefined
  readonly code: number | undefined
  readonly message: string | undefined
  readonly action: string | undefined
  readonly response: string | undefined
  readonly remoteMta: string | undefined
}

interface OfMessage {
  /** the transaction's, with a number for each delivery: "C0FFEE….1.1" */
  readonly uuid: string
  readonly recipients: readonly RecipientResult[]
}

export interface Delivered extends OfMessage {
  readonly event: 'delivered'
  readonly host: string
  readonly ip: string
  readonly port: number
  /** SMTP or LMTP */
  readonly mode: string
  readonly response: string
  readonly secured: boolean
  readonly authenticated: boolean
}

export interface Deferred extends OfMessage {
  readonly event: 'deferred'
  readonly error: string
  /** seconds until the next attempt */
  readonly delay: number
  readonly failures: number
}

export interface Bounced extends OfMessage {
  readonly event: 'bounced'
  readonly error: string
}

export type MessageEvent = Delivered | Deferred | Bounced

export type GroundEvent =
  | MessageEvent
  | { readonly event: 'ready'; readonly port: number }
  | { readonly event: 'answer'; readonly id: number; readonly value: unknown }

export type GroundQuestion =
  | { readonly ask: 'retry'; readonly uuid: string }
  | { readonly ask: 'flush' }
  | { readonly ask: 'queue' }
  | { readonly ask: 'memory' }
  | { readonly ask: 'intervals'; readonly seconds: readonly number[] }
  | { readonly ask: 'reload'; readonly file: string }
  | { readonly ask: 'clock'; readonly at: number }

export type GroundRequest = GroundQuestion & { readonly id: number }
