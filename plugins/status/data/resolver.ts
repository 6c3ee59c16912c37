/**
 * The resolvers of all machines, as they were last tested.
 *
 * @module
 */

import type { ResolverState } from '../../lib/monitor'
import { resolverView, timeOf, type ResolverView, type Time } from '../../views'
import type { Answer } from './answer'
import type { Sources } from './sources'

export interface MachineResolver extends ResolverView {
  readonly machine: string
  readonly at: Time | null
}

export interface ResolverData {
  readonly resolvers: readonly MachineResolver[]
}

export async function readResolvers({ monitor }: Sources): Promise<Answer<ResolverData>> {
  const done = await monitor.resolvers()
  if (!done.ok) return { ok: false, status: 503, text: done.text }
  return { ok: true, data: { resolvers: done.value.map(machineResolver) } }
}

export function machineResolver(state: ResolverState): MachineResolver {
  return { machine: state.machine, at: timeOf(state.at), ...resolverView(state) }
}
