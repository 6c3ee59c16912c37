/**
 * The name servers of a machine, as they were tested.
 *
 * @module
 */

import type { ResolverState } from '../lib/monitor'

/**
 * - `validates`: DANE is available
 * - `fails`: it does not validate, or is not reached, so DANE is not available
 * - `unanswered`: the test had no answer, which shows nothing
 * - `not-believed`: `trust-ad` says that its word does not count
 */
export type ResolverHealthView = 'validates' | 'fails' | 'unanswered' | 'not-believed'

export interface ResolverView extends Pick<ResolverState, 'trustAd' | 'secureAnswers' | 'servers'> {
  readonly health: ResolverHealthView
}

export function resolverView(state: Omit<ResolverState, 'machine' | 'at'>): ResolverView {
  const { trustAd, secureAnswers, servers } = state
  return {
    ...{ health: healthOf(state), trustAd, secureAnswers },
    servers: servers.map(({ server, answered, validates, text }) => ({ server, answered, validates, text })),
  }
}

function healthOf({ trustAd, validates, secureAnswers }: Omit<ResolverState, 'machine' | 'at'>): ResolverHealthView {
  if (!trustAd) return 'not-believed'
  if (!secureAnswers) return 'fails'
  return validates ? 'validates' : 'unanswered'
}
