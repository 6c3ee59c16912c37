/**
 * Monitoring data about deliveries: connections, what refused them, and messages that wait. TLS reports of ours leave none:
 * they keep to no policy.
 *
 * @module
 */

import type { HMailItem, OutboundConfig } from '../runtime/haraka'
import type { Deferral, Opening } from '../lib/delivery'
import { toAsciiDomain } from '../lib/dns'
import type { ConnectionLevel, ConnectionEvent, WaitingMessage } from '../lib/monitor'
import type { MonitoringRecorder } from '../runtime/monitoring'
import type { MessageEvent, Subscriber } from '../runtime/events'
import { recipientDomainOf } from './envelope'
import { lineOf } from './event-log'
import { isForTls, levelOf } from './event-outcomes'

/**
 * Subscribes to events: records monitoring data.
 *
 * @param intervals - seconds until each retry, as core has them at that moment
 */
export function createEventMonitor(
  intervals: () => OutboundConfig['temp_fail_intervals'],
  monitoring: MonitoringRecorder,
): Subscriber {
  return (event) => {
    if (event.type === 'sts-fetch-failed' || event.message.isReport) return
    const { hmail } = event.message
    switch (event.type) {
      case 'sts-policy-looked-up':
        return monitoring.count('stsPolicies', { source: event.evidence.source ?? event.evidence.status })
      case 'opened': {
        const { target, verdict, opening } = event
        if (event.isReplyForCore) return
        return monitoring.recordConnection(
          seen(event, target, levelOf(opening), verdict.because.code, versionOf(opening)),
        )
      }
      case 'refused': {
        const { target, opening } = event
        if (!isForTls(opening.because)) return
        return monitoring.recordConnection(seen(event, target, 'refused', opening.because.code, versionOf(opening)))
      }
      case 'host-skipped':
        if (!isForTls(event.because)) return
        return monitoring.recordConnection(seen(event, event, 'refused', event.because.code))
      case 'domain-refused': {
        const all = { domain: { policyDomain: event.domain }, host: undefined }
        return monitoring.recordConnection(seen(event, all, 'refused', event.because.code))
      }
      case 'not-delivered': {
        const { deferral } = event
        monitoring.count('deferrals', { status: deferral.status })
        const waiting = waitingMessage(hmail, intervals()[hmail.num_failures], deferral)
        if (waiting !== undefined) return monitoring.addDeferred(waiting)
        return endWait(hmail, monitoring)
      }
      case 'ended':
        return endWait(hmail, monitoring)
    }
  }
}

interface Place {
  readonly domain: { readonly policyDomain: string }
  readonly host: { readonly name: string } | undefined
}

function seen(
  event: MessageEvent,
  { domain, host }: Place,
  level: ConnectionLevel,
  reason: string,
  tlsVersion?: string,
): ConnectionEvent {
  const text = lineOf(event) ?? ''
  return { at: Date.now(), domain: domain.policyDomain, host: host?.name, level, tlsVersion, reason, text }
}

function versionOf({ starttls }: Opening): string | undefined {
  return starttls.status === 'done' ? starttls.peer.protocol : undefined
}

/** What goes at once has never waited. */
function endWait(hmail: HMailItem, { removeDeferred }: MonitoringRecorder): void {
  if (hmail.num_failures > 0) removeDeferred(idOf(hmail))
}

/** Undefined: there is no next attempt, or it is not for the sake of TLS that there has to be one. */
function waitingMessage(
  hmail: HMailItem,
  delay: number | undefined,
  { status, text, reasons }: Deferral,
): WaitingMessage | undefined {
  if (delay === undefined || !status.startsWith('4.7.')) return undefined
  const domain = recipientDomainOf(hmail)
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
