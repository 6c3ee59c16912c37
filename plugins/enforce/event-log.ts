/**
 * What the log says of deliveries, and at which level.
 *
 * @module
 */

import { inspect } from 'node:util'
import { describeTarget, isForGood, isTolerant, refusalLine, sessionLine, waiver } from '../lib/delivery'
import type { SessionOutcome } from '../lib/outcomes'
import type { DeliveryEvent, MessageEvent } from '../runtime/events'
import { domainOf } from './envelope'

/** Subscribes to events: logs them with their message. */
export function logEvent(event: DeliveryEvent): void {
  if (event.type === 'sts-fetch-failed' || event.type === 'sts-policy-looked-up') return
  const { hmail } = event.message
  const domain = domainOf(hmail)
  switch (event.type) {
    case 'connected':
      return logWarnings(event)
    case 'opened': {
      const isNotable = event.opening.passedOver !== undefined || isTolerant(event.verdict, event.opening)
      return isNotable ? hmail.lognotice(openedLine(event)) : hmail.loginfo(openedLine(event))
    }
    case 'refused':
      return hmail.logwarn(refusedLine(event, domain))
    case 'host-skipped':
      return hmail.logwarn(skippedLine(event, domain))
    case 'domain-refused':
      return hmail.logwarn(domainRefusedLine(event, domain))
    case 'route-refused':
      return hmail.logerror(refusalLine('a host that another plugin named', domain, event.because, 'Next host'))
    case 'address-refused':
      return hmail.loginfo(refusalLine(event.target.host.name, domain, event.because, 'Next host'))
    case 'tried-once-more':
      return hmail.lognotice(onceMore(event.why, domain))
    case 'not-delivered': {
      const { deferral } = event
      return hmail.logwarn(
        `${domain} ${isForGood(deferral) ? 'refused' : 'deferred'}, ${deferral.status}: ${deferral.text}`,
      )
    }
    case 'failed':
      return hmail.logcrit(`delivery to ${domain} failed: ${inspect(event.error)}`)
    case 'stuck':
      return hmail.logcrit(
        `${hmail.filename} stays in the queue until Haraka is started again: ${inspect(event.error)}`,
      )
  }
}

type EventOf<Type extends MessageEvent['type']> = Extract<MessageEvent, { type: Type }>

function logWarnings({ message: { hmail }, target, verdict }: EventOf<'connected'>): void {
  const { warning, wouldSkip } = verdict
  if (warning !== undefined) hmail.logwarn(warning)
  if (wouldSkip === undefined) return
  const next = `${verdict.wish === undefined ? 'Audit' : waiver(verdict)}: tried all the same`
  hmail.logwarn(refusalLine(describeTarget(target), domainOf(hmail), wouldSkip, next))
}

export function openedLine({ target, verdict, opening }: EventOf<'opened'>): string {
  return sessionLine(target, verdict, opening)
}

export function refusedLine({ target, opening, retriesInClear }: EventOf<'refused'>, domain: string): string {
  const next = retriesInClear ? 'Once more, in clear text' : 'Next host'
  return refusalLine(describeTarget(target), domain, opening.because, next)
}

export function skippedLine({ skipped: { host, because } }: EventOf<'host-skipped'>, domain: string): string {
  return refusalLine(host.name, domain, because, 'Next host')
}

export function domainRefusedLine({ because }: EventOf<'domain-refused'>, domain: string): string {
  return refusalLine('all hosts', domain, because, 'Deferred')
}

function onceMore(why: EventOf<'tried-once-more'>['why'], domain: string): string {
  return why === 'new-sts-policy'
    ? `${domain} has a new MTA-STS policy: one more try before the message bounces`
    : `${domain}: no host can promise REQUIRETLS, and a bounce is not lost for that: one more try without`
}

/** What one session counts as, for each policy that applied. */
export function outcomeLine({ domain, host, level, tlsVersion, results }: SessionOutcome): string {
  const judged = results.map(({ policy, failure }) => {
    const reason = failure?.reason === undefined ? '' : ` (${failure.reason})`
    return `${policy.type} ${policy.domain} ${failure === undefined ? 'success' : `${failure.type}${reason}`}`
  })
  return `outcome for ${domain} at ${host ?? 'no host'}: ${level}${tlsVersion === undefined ? '' : ` ${tlsVersion}`}; ${judged.join('; ')}`
}
