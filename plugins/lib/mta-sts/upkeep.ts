/**
 * What goes on beside deliveries: policies are refreshed, the command is followed, uses are written down, what is long expired goes.
 *
 * @module
 */

import { createClockGuard } from '../store'
import { discover } from './discover'
import type { Front } from './front'
import { createRecentMap } from './recent'
import { forEach, refreshDue, type RefreshOptions } from './refresh'

export interface UpkeepOptions extends RefreshOptions {
  readonly front: Front
  /** monotonic, milliseconds */
  readonly clock: () => number
}

export interface Upkeep {
  /** A policy has been applied to a delivery. It is written down once a day for each domain, many at a time. */
  readonly noteUse: (domain: string) => void
  readonly refreshDue: () => Promise<void>
  readonly start: () => void
  /** Ends it, and writes down what is left. */
  readonly stop: () => Promise<void>
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** How soon a request of the command is seen. */
const LOOK_EVERY = 2 * SECOND
/** How many policies are fetched at once because the command has asked for them; what hangs must not hold up the next. */
const MOST_REQUESTS = 20
/** How long an expired policy can still be shown. */
const KEPT_AFTER_EXPIRY = 7 * DAY

/** Makes it; nothing happens before it is started. */
export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { cache, front, clock, now, random } = options
  const uses = new Map<string, number>()
  const written = createRecentMap<number>({ limit: 100_000 })
  const steady = createClockGuard(now, clock)
  let timer: NodeJS.Timeout | undefined
  let nextRound = clock() + random() * MINUTE // workers that start together need not go on together
  let running: Promise<void> | undefined
  const following = new Set<Promise<void>>()

  const writeUses = async (): Promise<void> => {
    if (uses.size === 0) return
    const batch = new Map(uses)
    uses.clear()
    await cache.noteUses(batch)
  }
  const round = async (): Promise<void> => {
    if (clock() < nextRound) return
    nextRound = clock() + MINUTE
    await writeUses()
    await front.saveRest()
    await refreshDue(options)
    if (steady()) await cache.removeOld(now() - KEPT_AFTER_EXPIRY)
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
      uses.set(domain, now())
    },
    refreshDue: () => refreshDue(options),
    start: () => {
      timer ??= setInterval(() => {
        running ??= round().finally(() => (running = undefined))
        follow() // whatever takes long elsewhere
      }, LOOK_EVERY).unref()
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all([running, ...following])
      await writeUses()
      await front.saveRest()
    },
  }
}

/** Fetches what the command has asked for, whatever the cache says. */
async function followRequests(options: UpkeepOptions): Promise<void> {
  const requests = await options.cache.takeRequests()
  if (requests.ok) await forEach(requests.value, MOST_REQUESTS, (domain) => followRequest(options, domain))
}

async function followRequest(
  { cache, lookup, update, log, now, onFetchFailure }: UpkeepOptions,
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
