/**
 * One message under guard, and what the guard keeps about it.
 *
 * @module
 */

import { inspect } from 'node:util'
import type { HarakaMx, HMailItem } from '../runtime/haraka'
import type { StsPolicy } from '../lib/mta-sts'
import type { Concern } from '../lib/policy'
import type { DeliveredMessage } from '../runtime/events'
import type { Delivery } from './candidates'
import type { Engine } from './engine'
import type { Snapshot } from './snapshot'

/** What core's methods were before they were replaced. */
export type Core = Pick<
  HMailItem,
  'get_mx_respond' | 'try_deliver' | 'try_deliver_host_on_socket' | 'temp_fail' | 'delivered'
>

/** Does what must not keep the message from its end: what fails is logged. */
export function safely(hmail: HMailItem, work: () => void): void {
  try {
    work()
  } catch (error) {
    hmail.logcrit(inspect(error))
  }
}

/** The attempt is over, and what it used is released. May be called several times. */
export function endAttempt(guard: Guarded): void {
  const { snapshot } = guard
  guard.delivery = undefined
  guard.snapshot = undefined
  snapshot?.release()
}

/** One message under guard. */
export interface Guarded extends DeliveredMessage {
  readonly core: Core
  readonly engine: Engine
  /** of the attempt under way: a reload never mixes two configurations in one */
  snapshot: Snapshot | undefined
  /** the hosts of the attempt under way, where another plugin named them */
  named: readonly HarakaMx[] | undefined
  delivery: Delivery | undefined
  /** why the last attempt failed, at any of its hosts; forgotten at a restart */
  lastErrors: ReadonlySet<Concern>
  /** of the attempt under way: the domains that may have an STS policy, with the one that was applied */
  appliedPolicies: ReadonlyMap<string, StsPolicy | undefined>
  /** they have been asked for a newer one in this attempt */
  askedForNewPolicy: boolean
  /** no host can promise REQUIRETLS, and the message is one that shall not be lost for it (Q6): until the next attempt */
  isRequireTlsWaived: boolean
}
