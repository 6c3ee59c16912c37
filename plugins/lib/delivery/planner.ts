/**
 * What a plan is made with, given the settings and the facts of one delivery.
 *
 * @module
 */

import type { Lookup } from '../dns'
import type { StsEvidence } from '../mta-sts'
import type { Attempt } from '../policy'
import { settingsFor, type DeliveryFacts, type Settings } from '../settings'
import type { Planner } from './plan'

export interface PlannerInput extends Pick<Planner, 'givenUp' | 'isOwn'> {
  readonly settings: Settings
  readonly facts: DeliveryFacts
  readonly lookup: Lookup
  readonly stsPolicyFor: (policyDomain: string) => Promise<StsEvidence>
  /** no retry will follow if this attempt fails */
  readonly onlyAttempt: boolean
  readonly now: Date
  /** what is asked for the message itself; left out: nothing */
  readonly request?: Attempt['request']
  /** from 0 up to 1 */
  readonly random: () => number
}

/**
 * What counts of what a message asks for: a sender frees it from remote policies only where the administrator lets him.
 * REQUIRETLS was promised when the message came in: it is kept, whatever has been configured since.
 */
export function effectiveTlsRequest(request: Attempt['request'], { main }: Settings): Attempt['request'] {
  return request === 'tls-required-no' && !main.tlsRequiredNo ? undefined : request
}

/** The planner for one attempt of one message. */
export function createPlanner({ settings, facts, onlyAttempt, now, ...sources }: PlannerInput): Planner {
  return {
    ...sources,
    settingsFor: (mx, trust) => settingsFor(settings, facts, mx, now, trust),
    timeout: settings.dns.timeout,
    privateHostsHavePolicies: settings.mtaSts.allowPrivateAddresses,
    mxPort: settings.main.smtpPort,
    family: settings.haraka.inetPrefer,
    mayRelax: onlyAttempt || facts.retryNumber > 0,
  }
}
