/**
 * In which order name servers are asked, so that a dead one is waited for once and not by everybody.
 *
 * @module
 */

import type { NameServer } from './resolv-conf'

/** Keeps the order. A dead server goes to the end of it, and comes back when it has answered. */
export interface ServerOrder {
  /** those that answer, as configured; then those that did not when they were asked last */
  list(): readonly NameServer[]
  /**
   * Notes that a server had no answer to a question that was asked at `since`.
   *
   * @returns whether it is dead, as far as can be seen. If it has answered others meanwhile it is not: then what it had
   * to ask itself is, and another server of ours would wait for that just as long
   */
  silent(server: NameServer, since: number): boolean
  answered(server: NameServer): void
  /** whether one of them has answered anything since then */
  answeredSince(time: number): boolean
  /** a silent server that is due to be tried in the background, where no lookup waits; once in a minute each */
  dueForTrial(): NameServer | undefined
}

const TRIAL_INTERVAL = 60_000

/** @param now - monotonic, in milliseconds */
export function createServerOrder(servers: readonly NameServer[], now: () => number): ServerOrder {
  const nextTrial = new Map<NameServer, number>()
  const lastAnswer = new Map<NameServer, number>()
  return {
    list() {
      if (nextTrial.size === 0) return servers
      return servers.toSorted((a, b) => Number(nextTrial.has(a)) - Number(nextTrial.has(b)))
    },
    silent(server, since) {
      if ((lastAnswer.get(server) ?? -Infinity) > since) return false
      nextTrial.set(server, now() + TRIAL_INTERVAL)
      return true
    },
    answered(server) {
      lastAnswer.set(server, now())
      nextTrial.delete(server)
    },
    answeredSince: (time) => [...lastAnswer.values()].some((answer) => answer > time),
    dueForTrial() {
      if (nextTrial.size === 0 || nextTrial.size === servers.length) return undefined // all silent: they are asked anyway
      const time = now()
      const due = servers.find((server) => (nextTrial.get(server) ?? Infinity) <= time)
      if (due) nextTrial.set(due, time + TRIAL_INTERVAL)
      return due
    },
  }
}
