/**
 * What goes on beside deliveries: policies are refreshed, the command is followed, uses are written down, what is long expired goes.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { createClockGuard } from '../store'
import { DAY, MINUTE } from '../time'
import { discover } from './discover'
import type { MemoryCache } from './memory-cache'
import { forEach, refreshDue, type RefreshOptions } from './refresh'

export interface MaintenanceOptions extends RefreshOptions {
  readonly memory: MemoryCache
  /** monotonic, milliseconds */
  readonly clock: () => number
}

export interface Maintenance {
  /** A policy has been applied to a delivery. It is written down once a day for each domain, many at a time. */
  readonly noteUse: (domain: string) => void
  readonly refreshDue: () => Promise<void>
  readonly start: () => void
  /** Ends it, and writes down what is left. */
  readonly stop: () => Promise<void>
}

/** How soon a request of the command is seen. */
const LOOK_EVERY = 2000
/** How many policies are fetched at once because the command has asked for them; what hangs must not hold up the next. */
const MOST_REQUESTS = 20
/** How long an expired policy can still be shown. */
const KEPT_AFTER_EXPIRY = 7 * DAY

/** Makes it; nothing happens before it is started. */
export function createMaintenance(options: MaintenanceOptions): Maintenance {
  const { cache, memory, clock, now, random } = options
  const uses = new Set<string>()
  const written = new LRUCache<string, number>({ maxSize: 100_000, sizeCalculation: () => 1 }) // not max, which reserves memory for all
  const steady = createClockGuard(now, clock)
  let timer: NodeJS.Timeout | undefined
  let nextRound = clock() + random() * MINUTE // workers that start together need not go on together
  let running: Promise<void> | undefined
  const following = new Set<Promise<void>>()

  const writeUses = async (): Promise<void> => {
    if (uses.size === 0) return
    const domains = [...uses]
    uses.clear()
    await cache.noteUses(domains, now())
  }
  const round = async (): Promise<void> => {
    if (clock() < nextRound) return
    nextRound = clock() + MINUTE
    await writeUses()
    await memory.saveRest()
    await refreshDue(options)
    if (steady()) await cache.removeOld(KEPT_AFTER_EXPIRY)
  }

  const follow = (): void => {
    if (following.size === MOST_REQUESTS) return
    const followed = followRequests(options).finally(() => following.delete(followed))
    following.add(followed)
  }

  return {
    noteUse: (domain) => {
      if (now() - (written.get(domain) ?? -Infinity) < DAY) return
      written.set(domain, now())
      uses.add(domain)
    },
    refreshDue: () => refreshDue(options),
    start: () => {
      follow() // also begins to use the store, so that the first delivery does not wait for its thread to start
      timer ??= setInterval(() => {
        running ??= round().finally(() => (running = undefined))
        follow() // whatever takes long elsewhere
      }, LOOK_EVERY).unref()
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all([running, ...following])
      await writeUses()
      await memory.saveRest()
    },
  }
}

/** Fetches what the command has asked for, whatever the cache says. */
async function followRequests(options: MaintenanceOptions): Promise<void> {
  const requests = await options.cache.takeRequests()
  if (requests.ok) await forEach(requests.value, MOST_REQUESTS, (domain) => followRequest(options, domain))
}

async function followRequest(
  { cache, lookup, update, log, now, onFetchFailure }: MaintenanceOptions,
  domain: string,
): Promise<void> {
  const [record, cached] = await Promise.all([discover(lookup, domain, true), cache.read(domain)])
  const known = cached.ok ? cached.value : undefined
  const id = record.ok ? record.id : known?.id
  if (id === undefined) {
    const text = record.ok ? '' : record.text
    await cache.noteFailedFetch(domain, { id: '', at: now(), failure: { type: 'sts-policy-fetch-error', text } })
    return log('notice', `MTA-STS policy of ${domain} was to be fetched, but there is none: ${text}`)
  }
  const done = await update({ domain, id, known, usedAt: known?.usedAt ?? now(), insist: true })
  if (done.status === 'failed' && done.real) onFetchFailure(domain, { ...done.failure, id }) // T28
  const result = 'failure' in done ? `failed: ${done.failure.text}` : done.status
  log('notice', `MTA-STS policy of ${domain} was to be fetched: ${result}`)
}
