/**
 * Fetching the policy of a domain once, however many want it: within this process by joining them, among several by a claim in the
 * cache; and not again for five minutes after it failed (RFC 8461 §3.3, T15).
 *
 * Ids change at the domain's will, or a forger's, while the policy host is the same whatever the id. So a domain has one fetch under way,
 * and none within a minute after one that failed or was slow: a new id for each message must not cost each message the time-out. A forger
 * of ids holds up a newer policy for no more than that minute, for his ids, too, have the policy fetched from its proper host. A quick
 * success does not count, so a new id has the policy fetched at once. A recheck (T27) is limited likewise: it does not know then,
 * and the attempt that follows later fetches.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StsCache } from './cache'
import { isValid, type CachedPolicy } from './cached-policy'
import type { FetchFailure } from './failure'
import type { FetchPolicy } from './fetch'
import type { MemoryCache } from './memory-cache'

export type Update =
  | { readonly status: 'fetched'; readonly entry: CachedPolicy }
  | {
      readonly status: 'failed'
      readonly failure: FetchFailure
      /** a fetch took place for this caller: to be reported, once */
      readonly real: boolean
    }
  /** it failed less than five minutes ago, or another id's fetch less than one minute ago */
  | { readonly status: 'backed-off'; readonly failure: FetchFailure }
  /** another process is at it, and the caller did not want to wait */
  | { readonly status: 'busy' }

export interface UpdateRequest {
  readonly domain: string
  /** of the record found */
  readonly id: string
  /** what of it is cached already; anything else that turns up under the same id has been fetched by others meanwhile */
  readonly known: CachedPolicy | undefined
  /** when it was last applied to a delivery */
  readonly usedAt: number
  /** also soon after a failure */
  readonly insist?: boolean
  /** do not wait for another process that is at it */
  readonly hurry?: boolean
}

export type Updater = (request: UpdateRequest) => Promise<Update>

export interface UpdaterOptions {
  readonly fetch: FetchPolicy
  readonly memory: MemoryCache
  readonly cache: StsCache
  /** milliseconds since 1970 */
  readonly now: () => number
  /** monotonic, milliseconds */
  readonly clock: () => number
  /** when a policy is to be refreshed that is fetched now */
  readonly planRefresh: (policy: CachedPolicy['policy'], now: number) => number | undefined
  /** how long a fetch may take altogether: milliseconds */
  readonly timeout: number
  /** how long a failed fetch is not repeated: milliseconds */
  readonly backOff: number
  /** names this process among those that share the cache */
  readonly owner: string
  /** aborts when all is to end */
  readonly closing: AbortSignal
}

/** How often the cache is asked whether another process has finished: milliseconds. */
const POLL = 100
/** A claim is renewed while its fetch goes on, so that a process that was killed holds the others up for no longer: milliseconds. */
const CLAIM = 5000
/** How long a domain is not asked again, under whatever id, after a fetch that failed or was slow (T15): milliseconds. */
const PAUSE = 60_000
/** A fetch that takes longer holds deliveries up, although it succeeds: milliseconds. */
const SLOW = 1000
/** Of what the command is told where a domain has no record: nothing was fetched. */
const NO_ID = ''

/** Makes the function that fetches and keeps policies. It never rejects. */
export function createUpdater(options: UpdaterOptions): Updater {
  const running = new Map<string, { readonly id: string; readonly update: Promise<Update> }>()
  const backOffs = new LRUCache<string, BackOff>({ max: 10_000 })

  const begin = async (request: UpdateRequest): Promise<Update> => {
    const { domain, id, insist } = request
    const ours = [backOffs.get(keyOf(domain, id)), backOffs.get(domain)]
    const update = insist === true ? undefined : await recentFailure(options, request, ours)
    if (update) return update
    const started = options.clock()
    const done = await fetchOnce(options, request)
    const failure = done.status === 'failed' && done.real ? done.failure : undefined
    if (failure) backOffs.set(keyOf(domain, id), { until: options.clock() + options.backOff, failure })
    const pause = failure ?? (done.status === 'fetched' ? slowness(options.clock() - started) : undefined)
    if (pause) backOffs.set(domain, { until: options.clock() + pauseOf(options), failure: pause })
    return done
  }

  return async (request) => {
    const { domain, id, hurry } = request
    for (let other = running.get(domain); other; other = running.get(domain)) {
      if (other.id !== id && hurry === true) return { status: 'busy' }
      const done = await other.update
      if (other.id === id) return withoutReport(done)
    }
    const update = begin(request).finally(() => running.delete(domain))
    running.set(domain, { id, update })
    return update
  }
}

interface BackOff {
  readonly until: number
  readonly failure: FetchFailure
}

function keyOf(domain: string, id: string): string {
  return `${domain} ${id}`
}

function slowness(took: number): FetchFailure | undefined {
  if (took <= SLOW) return undefined
  return { type: 'sts-policy-fetch-error', text: `the last fetch took ${Math.round(took / 1000)} s` }
}

function pauseOf({ backOff }: UpdaterOptions): number {
  return Math.min(PAUSE, backOff)
}

/** One fetch is reported by one. */
function withoutReport(update: Update): Update {
  return update.status === 'failed' ? { ...update, real: false } : update
}

/** A failure of the last minutes, of this process or of another one. A time that is still to come is none: the clock was set back. */
async function recentFailure(
  options: UpdaterOptions,
  { domain, id }: UpdateRequest,
  ours: readonly (BackOff | undefined)[],
): Promise<Update | undefined> {
  const { cache, clock, now, backOff } = options
  const known = ours.find((each) => each && clock() < each.until)
  if (known) return { status: 'backed-off', failure: known.failure }
  const [sameId, latest] = await Promise.all([cache.failedFetch(domain, id), cache.lastFailure(domain)])
  for (const [stored, lasts] of [
    [sameId, backOff],
    [latest, pauseOf(options)],
  ] as const) {
    if (!stored.ok || !stored.value || stored.value.id === NO_ID) continue
    const age = now() - stored.value.at
    if (age >= 0 && age < lasts) return { status: 'backed-off', failure: stored.value.failure }
  }
  return undefined
}

async function fetchOnce(options: UpdaterOptions, request: UpdateRequest): Promise<Update> {
  const { cache, owner, clock, now, closing } = options
  const started = now()
  const deadline = clock() + options.timeout
  for (let waited = false; ; waited = true) {
    const claimed = await cache.claim(request.domain, owner, CLAIM)
    if (!claimed.ok) return fetchAndKeep(options, request, closing) // without a cache each process is on its own
    if (!claimed.value && request.hurry === true) return { status: 'busy' }

    const theirs = await outcomeOfOthers(options, request, waited || !claimed.value ? started : Infinity)
    if (claimed.value) {
      const signal = waited ? AbortSignal.any([closing, timeLeft(deadline - clock())]) : closing
      const update = theirs ?? (await whileClaimed(options, request.domain, fetchAndKeep(options, request, signal)))
      await cache.release(request.domain, owner)
      return update
    }
    if (theirs) return theirs
    if (clock() >= deadline || closing.aborted)
      return failed('sts-policy-fetch-error', 'another process is still fetching it')
    await sleep(POLL)
  }
}

async function whileClaimed(
  { cache, owner }: UpdaterOptions,
  domain: string,
  fetching: Promise<Update>,
): Promise<Update> {
  const timer = setInterval(() => void cache.renewClaim(domain, owner, CLAIM), CLAIM / 3)
  try {
    return await fetching
  } finally {
    clearInterval(timer)
  }
}

/** The fetch has a time limit of its own; this is for what waiting has left of it. */
function timeLeft(milliseconds: number): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.ceil(milliseconds)))
}

/**
 * What another process has come to since the caller last looked.
 *
 * @param failedSince - an earlier failure is of an earlier fetch
 */
async function outcomeOfOthers(
  { cache, now }: UpdaterOptions,
  { domain, id, known }: UpdateRequest,
  failedSince: number,
): Promise<Update | undefined> {
  const stored = await cache.read(domain)
  const entry = stored.ok ? stored.value : undefined
  if (entry?.id === id && entry.fetchedAt !== known?.fetchedAt && isValid(entry, now()))
    return { status: 'fetched', entry }
  const failure = await cache.lastFailure(domain) // under whatever id: it is the same policy host
  if (!failure.ok || !failure.value || failure.value.id === NO_ID) return undefined
  if (failure.value.at < failedSince || failure.value.at > now()) return undefined
  return { status: 'failed', failure: failure.value.failure, real: false }
}

async function fetchAndKeep(
  { fetch, memory, cache, now, planRefresh, closing }: UpdaterOptions,
  { domain, id, usedAt }: UpdateRequest,
  signal: AbortSignal,
): Promise<Update> {
  const fetched = await fetch(domain, signal)
  const at = now()
  if (fetched.ok) {
    const { policy } = fetched
    const entry = { domain, id, policy, fetchedAt: at, usedAt, refreshAt: planRefresh(policy, at), failures: 0 }
    await memory.keep(entry)
    return { status: 'fetched', entry }
  }
  if (closing.aborted) return failed(fetched.failure.type, fetched.failure.text) // we gave up, it did not fail
  await cache.noteFailedFetch(domain, { id, at, failure: fetched.failure })
  return { status: 'failed', failure: fetched.failure, real: true }
}

function failed(type: FetchFailure['type'], text: string): Update {
  return { status: 'failed', failure: { type, text }, real: false }
}
