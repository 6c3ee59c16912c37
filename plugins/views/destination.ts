/**
 * A destination, what was last seen of a host, and messages that wait.
 *
 * @module
 */

import type { DestinationEntry, LastSeen, WaitingDomain, WaitingMessage } from '../lib/monitor'
import { timeOf } from './time'

export type LastSeenView = ReturnType<typeof lastSeenView>
export type DestinationView = ReturnType<typeof destinationView>
export type WaitingDomainView = ReturnType<typeof waitingDomainView>
export type WaitingMessageView = ReturnType<typeof waitingMessageView>

export function lastSeenView({ at, host, level, tlsVersion, reason, text, goodUntil }: LastSeen) {
  const better = goodUntil === undefined ? null : timeOf(goodUntil)
  return { at: timeOf(at), host: host ?? null, level, tlsVersion: tlsVersion ?? null, reason, text, goodUntil: better }
}

export function destinationView({ domain, state, refused, delivered }: DestinationEntry) {
  const last = (seen: LastSeen | undefined) => (seen === undefined ? null : lastSeenView(seen))
  return { domain, state, refused: last(refused), delivered: last(delivered) }
}

/** All messages to one domain that wait. */
export function waitingDomainView(domain: WaitingDomain) {
  return { domain: domain.domain, messages: domain.messages, ...deferralView(domain) }
}

export function waitingMessageView(message: WaitingMessage) {
  return { id: message.id, ...deferralView(message) }
}

function deferralView({ since, nextAt, status, reasons, text }: WaitingDomain | WaitingMessage) {
  return { since: timeOf(since), nextAt: timeOf(nextAt), status, reasons, text }
}
