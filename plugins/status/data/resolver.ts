/**
 * The resolvers of all machines, as they were last tested.
 *
 * @module
 */

import type { ResolverState } from '../../lib/monitor'
import { timeOf, type Answer, type Time } from './answer'
import type { Sources } from './sources'

/**
 * - `validates`: DANE is available
 * - `fails`: it does not validate, or is not reached, so DANE is not available
 * - `unanswered`: the test had no answer, which shows nothing
 * - `not-believed`: `trust-ad` says that its word does not count
 */
export type ResolverHealth = 'validates' | 'fails' | 'unanswered' | 'not-believed'

export interface ShownResolver {
  readonly machine: string
  readonly at: Time | null
  readonly health: ResolverHealth
  readonly servers: readonly {
    readonly server: string
    readonly validates: boolean
    readonly answered: boolean
    readonly text: string
  }[]
}

export interface ResolverData {
  readonly schema: 1
  readonly at: Time | null
  readonly resolvers: readonly ShownResolver[]
}

export async function readResolvers({ monitor, now }: Sources): Promise<Answer<ResolverData>> {
  const done = await monitor.resolvers()
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  return { ok: true, data: { schema: 1, at: timeOf(now()), resolvers: done.value.map(shownResolver) } }
}

export function shownResolver(state: ResolverState): ShownResolver {
  const { machine, at, servers } = state
  return { machine, at: timeOf(at), health: healthOf(state), servers }
}

function healthOf({ trustAd, validates, secureAnswers }: ResolverState): ResolverHealth {
  if (!trustAd) return 'not-believed'
  if (!secureAnswers) return 'fails'
  return validates ? 'validates' : 'unanswered'
}
