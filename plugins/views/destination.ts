/**
 * A destination, what was last seen of a host, and messages that wait.
 *
 * @module
 */

import type { DestinationEntry, DestinationState, LastSeen, Level, WaitingDomain, WaitingMessage } from '../lib/monitor'
import { timeOf, type Time } from './time'

export interface LastSeenView {
  readonly at: Time | null
  /** null: all hosts of the domain, as where the MX lookup failed */
  readonly host: string | null
  readonly level: Level
  readonly tlsVersion: string | null
  readonly reason: string
  readonly text: string
}

export interface DestinationView {
  readonly domain: string
  readonly state: DestinationState
  readonly refused: LastSeenView | null
  readonly delivered: LastSeenView | null
}

interface DeferralView extends Pick<WaitingMessage, 'status' | 'reasons' | 'text'> {
  readonly since: Time | null
  readonly nextAt: Time | null
}

/** All messages to one domain that wait. */
export interface WaitingDomainView extends DeferralView {
  readonly domain: string
  readonly messages: number
}

export interface WaitingMessageView extends DeferralView {
  readonly id: string
}

export function lastSeenView({ at, host, level, tlsVersion, reason, text }: LastSeen): LastSeenView {
  return { at: timeOf(at), host: host ?? null, level, tlsVersion: tlsVersion ?? null, reason, text }
}

export function destinationView({ domain, state, refused, delivered }: DestinationEntry): DestinationView {
  return {
    ...{ domain, state },
    refused: refused ? lastSeenView(refused) : null,
    delivered: delivered ? lastSeenView(delivered) : null,
  }
}

export function waitingDomainView(domain: WaitingDomain): WaitingDomainView {
  return { domain: domain.domain, messages: domain.messages, ...deferralView(domain) }
}

export function waitingMessageView(message: WaitingMessage): WaitingMessageView {
  return { id: message.id, ...deferralView(message) }
}

function deferralView({ since, nextAt, status, reasons, text }: WaitingDomain | WaitingMessage): DeferralView {
  return { since: timeOf(since), nextAt: timeOf(nextAt), status, reasons, text }
}
