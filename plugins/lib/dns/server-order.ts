/**
 * In which order name servers are asked, so that a dead one is waited for once and not by everybody.
 *
 * @module
 */

import type { Server } from './resolv-conf'

/** Keeps the order. A server that stayed silent goes to the end of it, and comes back when it has answered. */
export interface ServerOrder {
  /** those that answer, as configured; then those that did not when they were asked last */
  list(): readonly Server[]
  silent(server: Server): void
  answered(server: Server): void
  /** a silent server that is due to be tried in the background, where nobody waits; once in a minute each */
  dueForTrial(): Server | undefined
}

const TRIAL_INTERVAL = 60_000

/** @param now - monotonic, in milliseconds */
export function createServerOrder(servers: readonly Server[], now: () => number): ServerOrder {
  const nextTrial = new Map<Server, number>()
  return {
    list() {
      if (nextTrial.size === 0) return servers
      return servers.toSorted((a, b) => Number(nextTrial.has(a)) - Number(nextTrial.has(b)))
    },
    silent(server) {
      nextTrial.set(server, now() + TRIAL_INTERVAL)
    },
    answered(server) {
      nextTrial.delete(server)
    },
    dueForTrial() {
      if (nextTrial.size === 0 || nextTrial.size === servers.length) return undefined // all silent: they are asked anyway
      const time = now()
      const due = servers.find((server) => (nextTrial.get(server) ?? Infinity) <= time)
      if (due) nextTrial.set(due, time + TRIAL_INTERVAL)
      return due
    },
  }
}
