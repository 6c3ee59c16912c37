/**
 * What one message leaves for people to look at: its connections, what refused it, and that it waits. TLS reports of ours leave nothing:
 * they keep to no policy, so that they say nothing of how policies are kept.
 *
 * @module
 */

import type { HMailItem, OutboundConfig } from '../haraka'
import type { Deferral } from '../lib/delivery'
import { toAsciiDomain } from '../lib/dns'
import type { Level, Sighting, WaitingMessage } from '../lib/monitor'
import type { Reason, ReasonCode } from '../lib/policy'
import type { Notes } from '../monitoring'
import { domainOf } from './envelope'

type Place = Pick<Sighting, 'domain' | 'host' | 'tlsVersion' | 'text'>

export interface Trail {
  /** A session was opened, at a level that was asked for because of something. */
  readonly opened: (place: Place, level: Exclude<Level, 'refused'>, because: Reason) => void
  /** A host was refused, or all of a domain. */
  readonly refused: (place: Place, because: Reason) => void
  /** The attempt ends here, and the message goes on waiting or bounces. To be called before core is told. */
  readonly deferred: (deferral: Deferral) => void
  /** It waits for nothing that has to do with TLS any more. */
  readonly ended: () => void
}

/** A server that cannot be reached, or takes no mail now, is refused for nothing that has to do with TLS. */
const OTHERWISE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...(['no-address', 'local-address', 'connection-failed', 'connection-lost', 'timeout'] as const),
  ...(['greeting-refused', 'ehlo-refused', 'malformed-reply'] as const),
])

/** Whether a refusal has to do with TLS, so that it counts. */
export function isCounted({ code }: Reason): boolean {
  return !OTHERWISE.has(code)
}

/** Of a TLS report of ours. */
export const silentTrail: Trail = {
  opened: () => undefined,
  refused: () => undefined,
  deferred: () => undefined,
  ended: () => undefined,
}

/** @param intervals - seconds until each retry, as core has them at that moment */
export function createTrail(
  hmail: HMailItem,
  intervals: () => OutboundConfig['temp_fail_intervals'],
  { saw, count, waits, waitsNoMore }: Notes,
): Trail {
  return {
    opened: (place, level, { code }) => saw({ ...place, at: Date.now(), level, reason: code }),
    refused: (place, because) => {
      if (isCounted(because)) saw({ ...place, at: Date.now(), level: 'refused', reason: because.code })
    },
    deferred: (deferral) => {
      count('deferrals', { status: deferral.status })
      const waiting = waitingMessage(hmail, intervals()[hmail.num_failures], deferral)
      if (waiting !== undefined) waits(waiting)
      else if (hmail.num_failures > 0) waitsNoMore(idOf(hmail))
    },
    ended: () => {
      if (hmail.num_failures > 0) waitsNoMore(idOf(hmail)) // what goes at once has never waited
    },
  }
}

/** Undefined: there is no next attempt, or it is not for the sake of TLS that there has to be one. */
function waitingMessage(
  hmail: HMailItem,
  delay: number | undefined,
  { status, text, reasons }: Deferral,
): WaitingMessage | undefined {
  if (delay === undefined || !status.startsWith('4.7.')) return undefined
  const domain = domainOf(hmail)
  const now = Date.now()
  const times = { since: now, nextAt: now + delay * 1000 } // of those that waited already the store keeps since when
  return { id: idOf(hmail), domain: toAsciiDomain(domain) ?? domain, ...times, status, reasons, text }
}

/**
 * What stays the same in a message's file name, `arrival_next_attempts_pid_unique_counter_host`, when it is tried again, and when
 * another process takes it over.
 */
function idOf({ filename }: HMailItem): string {
  const [arrival = '', , , , unique] = filename.split('_')
  return unique === undefined ? filename : `${arrival}_${unique}`
}
