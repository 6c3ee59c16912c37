/**
 * What the log says of deliveries, and at which level.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { inspect } from 'node:util'
import type { Acquaintance } from '../lib/certificates'
import {
  describeTarget,
  isForGood,
  isTolerant,
  otherCertificateLine,
  refusalLine,
  replyText,
  sessionLine,
  waiver,
  type Next,
} from '../lib/delivery'
import type { SessionOutcome } from '../lib/tlsrpt/counting'
import { HOUR } from '../lib/time'
import type { EventOf, MessageEvent, Subscriber } from '../runtime/events'
import { recipientDomainOf } from './envelope'

/** Policies that cannot be used, of which the log has spoken: as many are remembered. */
const MOST_TOLD = 10_000

/**
 * Makes the subscriber that logs events with their message. That a policy cannot be used is said once an hour for each
 * domain, id and reason; what fails in the background, the cache of policies says itself.
 */
export function createEventLog(): Subscriber {
  const told = new LRUCache<string, true>({ max: MOST_TOLD, ttl: HOUR })

  return (event) => {
    if (event.type === 'sts-fetch-failed') return
    const line = lineOf(event)
    if (line === undefined) return
    if (event.type === 'sts-policy-looked-up') {
      if (told.has(line)) return
      told.set(line, true)
    }
    event.message.hmail[levelOf(event)](line)
  }
}

/** Undefined: the log says nothing of it. */
export function lineOf(event: MessageEvent): string | undefined {
  const { hmail } = event.message
  const domain = recipientDomainOf(hmail)
  switch (event.type) {
    case 'sts-policy-looked-up':
      return unusableEvidence(event)
    case 'warned':
      return event.text
    case 'refusal-waived': {
      const next = `${event.verdict.request === undefined ? 'Audit' : waiver(event.verdict)}: tried all the same`
      return refusalLine(describeTarget(event.target), domain, event.because, next)
    }
    case 'negotiated': {
      const known = acquaintanceIn(event)
      return known && otherCertificateLine(event.target, known)
    }
    case 'opened':
      if (event.isReplyForCore && event.opening.starttls.status === 'not-tried') return answerLine(event)
      return sessionLine(event.target, event.verdict, event.opening)
    case 'refused':
      return refusalLine(describeTarget(event.target), domain, event.opening.because, NEXT[event.next])
    case 'host-skipped':
      return refusalLine(event.host.name, domain, event.because, NEXT[event.next])
    case 'domain-refused':
      return refusalLine('all hosts', domain, event.because, 'Deferred')
    case 'route-refused':
      return refusalLine('a host that another plugin named', domain, event.because, 'Not tried')
    case 'address-refused':
      return refusalLine(event.target.host.name, domain, event.because, NEXT[event.next])
    case 'tried-once-more':
      return event.why === 'new-sts-policy'
        ? `${domain} has a new MTA-STS policy: one more try at once`
        : `${domain}: no host can promise REQUIRETLS, and a bounce is not lost for that: one more try without`
    case 'not-delivered': {
      const { status, text } = event.deferral
      return `${domain} ${isForGood(event.deferral) ? 'refused' : 'deferred'}, ${status}: ${text}`
    }
    case 'failed':
      return `delivery to ${domain} failed: ${inspect(event.error)}`
    case 'stuck':
      return `${hmail.filename} stays in the queue until Haraka is started again: ${inspect(event.error)}`
    default:
      return undefined
  }
}

/** No mail went over it in clear text, or ever will: core deals with the refusal as with any other. */
function answerLine({ target, opening }: EventOf<'opened'>): string {
  const reply = opening.replies.at(-1)
  return `${describeTarget(target)} answered ${reply === undefined ? 'nothing' : replyText(reply)}: no other host is left`
}

const NEXT: Readonly<Record<Next, string>> = {
  'in-clear': 'Once more, in clear text',
  'planned-anew': 'Its TLSA records are gone, and the denial is signed: once more, without them',
  'next-address': 'Next address',
  'next-host': 'Next host',
  nowhere: 'No host is left',
}

/** A domain that announces a policy which cannot be used: its senders go on as if it had none, or with an old one. */
function unusableEvidence({ domain, evidence }: EventOf<'sts-policy-looked-up'>): string | undefined {
  const { fetchFailure: failure, why, status } = evidence
  const cached = status === 'policy' ? '; the one in the cache goes on applying' : ''
  if (failure !== undefined)
    return `MTA-STS: the policy that ${domain} announces (id ${failure.id}) cannot be used: ${failure.text}${cached}. RFC 8461 3.3.`
  if (why !== 'several-records' && why !== 'malformed-record') return undefined
  return `MTA-STS: the record of ${domain} cannot be used: ${evidence.text}. RFC 8461 3.1.`
}

function acquaintanceIn({ opening: { starttls } }: EventOf<'negotiated'>): Acquaintance | undefined {
  return starttls.status === 'done' ? starttls.judgement.known : undefined
}

function levelOf(event: MessageEvent): 'logcrit' | 'logerror' | 'logwarn' | 'lognotice' | 'loginfo' {
  switch (event.type) {
    case 'failed':
    case 'stuck':
      return 'logcrit'
    case 'route-refused':
      return 'logerror'
    case 'tried-once-more':
      return 'lognotice'
    case 'negotiated':
      return acquaintanceIn(event)?.is === 'renewed' ? 'lognotice' : 'logwarn'
    case 'address-refused':
      return 'loginfo'
    case 'opened':
      return event.opening.passedOver !== undefined || isTolerant(event.verdict, event.opening)
        ? 'lognotice'
        : 'loginfo'
    default:
      return 'logwarn'
  }
}

/** What one session counts as, for each policy that applied. */
export function outcomeLine({ domain, host, level, tlsVersion, results }: SessionOutcome): string {
  const judged = results.map(({ policy, failure }) => {
    const reason = failure?.reason === undefined ? '' : ` (${failure.reason})`
    return `${policy.type} ${policy.domain} ${failure === undefined ? 'success' : `${failure.type}${reason}`}`
  })
  return `outcome for ${domain} at ${host ?? 'no host'}: ${level}${tlsVersion === undefined ? '' : ` ${tlsVersion}`}; ${judged.join('; ')}`
}
