/**
 * The sessions with one destination: in time, by host, and how each policy judges them. Day by day, so that others get their turn.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { SessionCount } from '../../lib/tlsrpt/counting'
import type { Done } from '../../lib/store'
import type { PolicyFacts } from '../../lib/tlsrpt/format'
import type { ConnectionLevel } from '../../lib/monitor'
import { addUp, none, SPANS, type Connections, type Counts } from './connections'
import type { Sources } from './sources'

export interface Sessions extends Connections {
  /** null in `host`: none of them */
  readonly hosts: readonly { readonly host: string | null; readonly counts: Counts }[]
}

export interface Verdict {
  readonly policyType: string
  /** the TLSA base domain, or else the recipient domain */
  readonly policyDomain: string
  readonly successes: number
  readonly failures: number
  /** the most frequent first, some of them */
  readonly details: readonly {
    readonly result: string
    readonly reason: string | null
    readonly host: string | null
    readonly sessions: number
  }[]
}

const DAY = 86_400_000
const MOST_HOSTS = 50
const MOST_DETAILS = 30
const MOST_POLICIES = 50

export async function readSessions(
  { outcomes, now }: Sources,
  domain: string,
): Promise<Done<{ readonly sessions: Sessions; readonly verdicts: readonly Verdict[] }>> {
  const { length, step } = SPANS['7d']
  const to = Math.floor(now() / step) * step + step
  const from = to - length
  const counts: SessionCount[] = []
  const facts: PolicyFacts[] = []
  for (let start = from; start < to; start += DAY) {
    const period = { start, end: Math.min(to, start + DAY) }
    const found = await outcomes.sessionsOf({ period, domain })
    if (!found.ok) return found
    counts.push(...found.value)
    await setImmediate()
    const judged = await outcomes.policiesOf(domain, period)
    if (!judged.ok) return judged
    facts.push(...judged.value)
    await setImmediate()
  }
  const sessions = { ...addUp(counts, '7d', from, to), hosts: byHost(counts) }
  return { ok: true, value: { sessions, verdicts: verdictsOf(facts) } }
}

function byHost(
  counts: readonly { host: string | undefined; level: ConnectionLevel; count: number }[],
): Sessions['hosts'] {
  const hosts = new Map<string | null, Record<ConnectionLevel, number>>()
  for (const { host = null, level, count } of counts) {
    const place = hosts.get(host) ?? none()
    place[level] += count
    hosts.set(host, place)
  }
  const sum = (levels: Counts): number => Object.values(levels).reduce((total, count) => total + count, 0)
  const all = [...hosts].map(([host, levels]) => ({ host, counts: levels }))
  return all.sort((a, b) => b.counts.refused - a.counts.refused || sum(b.counts) - sum(a.counts)).slice(0, MOST_HOSTS)
}

function verdictsOf(facts: readonly PolicyFacts[]): readonly Verdict[] {
  const verdicts = new Map<string, Verdict & { successes: number; failures: number; ways: Map<string, number> }>()
  for (const { policy, successes, failures, details } of facts) {
    const { type, domain } = policy
    const key = JSON.stringify([type, domain])
    const known = verdicts.get(key) ?? {
      ...{ policyType: type, policyDomain: domain, successes: 0, failures: 0, details: [] },
      ways: new Map<string, number>(),
    }
    verdicts.set(key, known)
    known.successes += successes
    known.failures += failures
    for (const { type: result, reason, receivingHost, count } of details) {
      const way = JSON.stringify([result, reason ?? null, receivingHost ?? null])
      known.ways.set(way, (known.ways.get(way) ?? 0) + count)
    }
  }
  return [...verdicts.values()]
    .sort((a, b) => b.failures - a.failures || b.successes - a.successes)
    .slice(0, MOST_POLICIES)
    .map(({ ways, ...verdict }) => ({ ...verdict, details: detailsOf(ways) }))
}

function detailsOf(ways: ReadonlyMap<string, number>): Verdict['details'] {
  return [...ways]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_DETAILS)
    .map(([way, sessions]) => {
      const [result, reason, host] = JSON.parse(way) as [string, string | null, string | null]
      return { result, reason, host, sessions }
    })
}
