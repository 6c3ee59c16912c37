/**
 * What happens to deliveries, as data. The guard emits events; the log, the monitoring data and the outcomes subscribe.
 *
 * @module
 */

import { inspect } from 'node:util'
import type { HMailItem } from './haraka'
import type { Deferral, Next, Opening, Skipped, Target } from '../lib/delivery'
import type { FetchFailure, StsEvidence } from '../lib/mta-sts'
import type { AttemptVerdict, Reason } from '../lib/policy'

/** The message that an event is about. */
export interface DeliveredMessage {
  readonly hmail: HMailItem
  /** A TLS report of ours keeps to no policy: it is logged, but says nothing of how policies are kept (R22). */
  readonly isReport: boolean
}

/** A connection, and the verdict that it keeps to. */
interface Session {
  readonly target: Target
  readonly verdict: AttemptVerdict
}

export type Opened = Extract<Opening, { status: 'open' }>
export type Refused = Extract<Opening, { status: 'refused' }>

export type MessageEvent = { readonly message: DeliveredMessage } & (
  | { readonly type: 'sts-policy-looked-up'; readonly domain: string; readonly evidence: StsEvidence }
  /** no host of the domain may be tried; `bogus`: its MX lookup failed DNSSEC validation */
  | { readonly type: 'domain-refused'; readonly domain: string; readonly because: Reason; readonly bogus: boolean }
  /** another plugin named a host that cannot be used */
  | { readonly type: 'route-refused'; readonly because: Reason }
  | ({ readonly type: 'host-skipped'; readonly next: Next } & Skipped)
  | { readonly type: 'address-refused'; readonly target: Target; readonly because: Reason; readonly next: Next }
  /** the verdict comes with a warning */
  | { readonly type: 'warned'; readonly text: string }
  /** a host is tried although it would be refused before connecting */
  | ({ readonly type: 'refusal-waived'; readonly because: Reason } & Session)
  /** STARTTLS came to an end, whatever the delivery makes of it */
  | ({
      readonly type: 'negotiated'
      readonly opening: Opening
      readonly isLmtp: boolean
      readonly localAddress: string | undefined
      readonly remoteAddress: string | undefined
    } & Session)
  /** mail goes over the session; `isReplyForCore`: core deals with the server's refusal */
  | ({ readonly type: 'opened'; readonly opening: Opened; readonly isReplyForCore: boolean } & Session)
  | { readonly type: 'refused'; readonly target: Target; readonly opening: Refused; readonly next: Next }
  | { readonly type: 'tried-once-more'; readonly why: 'new-sts-policy' | 'requiretls-waived' }
  /** The message goes on waiting, or bounces. Comes before core is told. */
  | { readonly type: 'not-delivered'; readonly deferral: Deferral }
  /** delivered, bounced, dropped, or deferred for nothing that has to do with TLS */
  | { readonly type: 'ended' }
  /** an error within this server */
  | { readonly type: 'failed'; readonly error: unknown }
  /** core cannot even defer the message */
  | { readonly type: 'stuck'; readonly error: unknown }
)

export type DeliveryEvent =
  | MessageEvent
  /** in the background */
  | { readonly type: 'sts-fetch-failed'; readonly domain: string; readonly failure: FetchFailure }

export type EventOf<Type extends DeliveryEvent['type']> = Extract<DeliveryEvent, { type: Type }>

/** Is called in the path of a delivery: must not wait. */
export type Subscriber = (event: DeliveryEvent) => void

/** Tells the subscribers in their order. What one of them throws is logged, and hurts neither the delivery nor the others. */
export function createEmitter(subscribers: readonly Subscriber[], logcrit: (text: string) => void): Subscriber {
  return (event) => {
    for (const subscriber of subscribers) {
      try {
        subscriber(event)
      } catch (error) {
        report(error, event, logcrit)
      }
    }
  }
}

function report(error: unknown, event: DeliveryEvent, logcrit: (text: string) => void): void {
  try {
    if (event.type === 'sts-fetch-failed') logcrit(inspect(error))
    else event.message.hmail.logcrit(inspect(error))
  } catch {
    // it was the log that failed
  }
}
