/**
 * Destinations and the last words on them, as they are shown.
 *
 * @module
 */

import type {
  DestinationEntry,
  DestinationState,
  LastSeen,
  Level,
  WaitingDomain,
  WaitingMessage,
} from '../../lib/monitor'
import { timeOf, type Time } from './answer'

export interface ShownWord {
  readonly at: Time | null
  /** null: all hosts of the domain, as where the MX lookup failed */
  readonly host: string | null
  readonly level: Level
  readonly tlsVersion: string | null
  readonly reason: string
  readonly text: string
}

export interface ShownDestination {
  readonly domain: string
  readonly state: DestinationState
  readonly refused: ShownWord | null
  readonly delivered: ShownWord | null
}

export interface ShownWaiting {
  readonly domain: string
  readonly messages: number
  readonly since: Time | null
  readonly nextAt: Time | null
  readonly status: string
  readonly reasons: readonly string[]
  readonly text: string
}

export type ShownMessage = Omit<ShownWaiting, 'messages' | 'domain'> & { readonly id: string }

export function shownWord({ at, host, level, tlsVersion, reason, text }: LastSeen): ShownWord {
  return { at: timeOf(at), host: host ?? null, level, tlsVersion: tlsVersion ?? null, reason, text }
}

export function shownDestination({ domain, state, refused, delivered }: DestinationEntry): ShownDestination {
  return {
    domain,
    state,
    refused: refused ? shownWord(refused) : null,
    delivered: delivered ? shownWord(delivered) : null,
  }
}

export function shownWaiting({ domain, messages, since, nextAt, status, reasons, text }: WaitingDomain): ShownWaiting {
  return { domain, messages, since: timeOf(since), nextAt: timeOf(nextAt), status, reasons, text }
}

export function shownMessage({ id, since, nextAt, status, reasons, text }: WaitingMessage): ShownMessage {
  return { id, since: timeOf(since), nextAt: timeOf(nextAt), status, reasons, text }
}
