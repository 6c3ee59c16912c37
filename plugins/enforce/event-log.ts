/**
 * What the log says of deliveries, and at which level.
 *
 * @module
 */

import { inspect } from 'node:util'
import { describeTarget, isForGood, isTolerant, refusalLine, sessionLine, waiver } from '../lib/delivery'
import type { SessionOutcome } from '../lib/tlsrpt/counting'
import type { DeliveryEvent, MessageEvent } from '../runtime/events'
import { recipientDomainOf } from './envelope'

/** Subscribes to events: logs them with their message. */
export function logEvent(event: DeliveryEvent): void {
  if (event.type === 'sts-fetch-failed') return
  const line = lineOf(event)
  if (line !== undefined) event.message.hmail[levelOf(event)](line)
}

/** Undefined: the log says nothing of it. */
export function lineOf(event: MessageEvent): string | undefined {
  const { hmail } = event.message
  const domain = recipientDomainOf(hmail)
  switch (event.type) {
    case 'warned':
      return event.text
    case 'refusal-waived': {
      const next = `${event.verdict.request === undefined ? 'Audit' : waiver(event.verdict)}: tried all the same`
      return refusalLine(describeTarget(event.target), domain, event.because, next)
    }
    case 'opened':
      return sessionLine(event.target, event.verdict, event.opening)
    case 'refused': {
      const next = event.retriesInClear ? 'Once more, in clear text' : 'Next host'
      return refusalLine(describeTarget(event.target), domain, event.opening.because, next)
    }
    case 'host-skipped':
      return refusalLine(event.host.name, domain, event.because, 'Next host')
    case 'domain-refused':
      return refusalLine('all hosts', domain, event.because, 'Deferred')
    case 'route-refused':
      return refusalLine('a host that another plugin named', domain, event.because, 'Next host')
    case 'address-refused':
      return refusalLine(event.target.host.name, domain, event.because, 'Next host')
    case 'tried-once-more':
      return event.why === 'new-sts-policy'
        ? `${domain} has a new MTA-STS policy: one more try before the message bounces`
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

function levelOf(event: MessageEvent): 'logcrit' | 'logerror' | 'logwarn' | 'lognotice' | 'loginfo' {
  switch (event.type) {
    case 'failed':
    case 'stuck':
      return 'logcrit'
    case 'route-refused':
      return 'logerror'
    case 'tried-once-more':
      return 'lognotice'
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
