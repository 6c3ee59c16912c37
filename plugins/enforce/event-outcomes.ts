/**
 * What deliveries and fetches of policies count as in TLS reports.
 *
 * @module
 */

import type { Opening, Target } from '../lib/delivery'
import {
  judgeBogusMx,
  judgeFetch,
  judgeSession,
  judgeSkip,
  refusedBefore,
  type Negotiation,
  type SessionOutcome,
} from '../lib/tlsrpt/counting'
import type { Reason, ReasonCode } from '../lib/policy'
import type { DeliveryEvent, EventOf, Subscriber } from '../runtime/events'

/** Subscribes to events: records what they count as, but of TLS reports of ours (R22). */
export function createEventRecorder(record: (outcome: SessionOutcome) => void): Subscriber {
  return (event) => {
    if (event.type !== 'sts-fetch-failed' && event.message.isReport) return
    const outcome = outcomeOf(event)
    if (outcome !== undefined) record(outcome)
  }
}

/** A server that cannot be reached, or takes no mail now, is refused for nothing that has to do with TLS. */
const OTHERWISE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...(['no-address', 'local-address', 'connection-failed', 'connection-lost', 'timeout', 'not-tried'] as const),
  ...(['greeting-refused', 'ehlo-refused', 'malformed-reply'] as const),
])

/** Whether a refusal has to do with TLS. */
export function isForTls({ code }: Reason): boolean {
  return !OTHERWISE.has(code)
}

/** Undefined: nothing counts. */
function outcomeOf(event: DeliveryEvent): SessionOutcome | undefined {
  switch (event.type) {
    case 'sts-fetch-failed':
      return judgeFetch(new Date(), event.domain, event.failure.type)
    case 'sts-policy-looked-up': {
      const { fetchFailure } = event.evidence
      return fetchFailure && judgeFetch(new Date(), event.domain, fetchFailure.type)
    }
    case 'domain-refused':
      return event.bogus ? judgeBogusMx(new Date(), event.domain) : refusedBefore(new Date(), event.domain, undefined)
    case 'host-skipped':
      return skippedHost(event)
    case 'negotiated':
      return sessionOutcome(event)
    default:
      return undefined
  }
}

function skippedHost({ domain, host, because }: EventOf<'host-skipped'>): SessionOutcome | undefined {
  const at = new Date()
  const judged = judgeSkip(at, domain, host.evidence, because)
  if (judged !== undefined || !isForTls(because)) return judged
  return refusedBefore(at, domain.policyDomain, host.name)
}

function sessionOutcome(event: EventOf<'negotiated'>): SessionOutcome | undefined {
  const { target, verdict, opening } = event
  const { starttls } = opening
  const isRefused = opening.status === 'refused' && opening.because.concern !== 'smtp' // what SMTP refuses has been a session all the same
  const session = {
    at: new Date(),
    domain: target.domain.policyDomain,
    host: target.host.name,
    sendingAddress: event.localAddress,
    receivingAddress: event.remoteAddress,
    level: isRefused ? ('refused' as const) : levelOf(opening),
    tlsVersion: starttls.status === 'done' ? starttls.peer.protocol : undefined,
  }
  const negotiation = negotiationOf(opening)
  if (negotiation === undefined || target.afterFailure !== undefined || event.isLmtp)
    return opening.status === 'open' || isRefused ? { ...session, results: [] } : undefined
  const refusal = starttls.status === 'done' ? starttls.judgement.refusal : undefined
  const outcome = judgeSession({ ...session, applied: verdict.applied, negotiation, refusal })
  return verdict.wouldSkip === undefined ? outcome : asIfSkipped(outcome, target, verdict.wouldSkip)
}

/** Under an audit a host that would not have been tried is recorded as without one: as what would have been refused. */
function asIfSkipped(outcome: SessionOutcome, { domain, host }: Target, because: Reason): SessionOutcome {
  const skipped = judgeSkip(outcome.at, domain, host.evidence, because)
  return skipped === undefined ? outcome : { ...outcome, results: skipped.results }
}

export function levelOf({ starttls }: Opening): 'verified' | 'trusted' | 'untrusted' | 'clear-text' {
  return starttls.status === 'done' ? levels[starttls.judgement.level] : 'clear-text'
}

const levels = { Verified: 'verified', Trusted: 'trusted', Untrusted: 'untrusted' } as const

/** Undefined: TLS did not come up, so that there is nothing to count. */
function negotiationOf(opening: Opening): Negotiation | undefined {
  const { starttls } = opening
  if (starttls.status === 'not-tried') return undefined
  if (starttls.status === 'failed') {
    const wasInjected = opening.status === 'refused' && opening.because.code === 'starttls-injection'
    return { status: 'failed', reason: wasInjected ? 'starttls-injection' : 'handshake-failed' }
  }
  if (starttls.status !== 'done') return { status: starttls.status }
  const { pkix, dane } = starttls.judgement
  const daneFailure =
    dane?.status === 'refused' ? (dane.why === 'no-certificate' ? 'certificate-missing' : dane.why) : undefined
  const { why, flaw } = pkix.status === 'invalid' ? pkix : {}
  return { status: 'done', pkixFailure: why, daneFailure, chainFlaw: flaw }
}
