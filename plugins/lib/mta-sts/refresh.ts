/**
 * Keeping policies fresh in the background, so that an attacker who can suppress a fetch for a while cannot wait for a policy to expire
 * (RFC 8461 §3.3, §10.2, T19).
 *
 * @module
 */

import type { Lookup } from '../dns'
import type { Log } from '../store'
import { DAY, HOUR, isoTime, MINUTE } from '../time'
import type { StsCache } from './cache'
import { expiryOf, isValid, type CachedPolicy } from './cached-policy'
import { discover } from './discover'
import type { FetchFailure } from './failure'
import type { StsPolicy } from './policy'
import type { Update, Updater } from './update'

export interface RefreshOptions {
  readonly lookup: Lookup
  readonly cache: StsCache
  readonly update: Updater
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
  /** 0 to 1 */
  readonly random: () => number
  /** how long after a fetch the next one is due: milliseconds */
  readonly refresh: number
  /** told of a fetch in the background that failed, for reports (T28) */
  readonly onFetchFailure: (domain: string, failure: FetchFailure & { readonly id: string }) => void
}

/** Policies of domains that had no mail for so long are left to expire. */
const REMEMBERED = 30 * DAY
/** No policy host is asked more often than this without need: policies that live less than twice as long are fetched when mail comes. */
const SHORTEST_INTERVAL = 30 * MINUTE
/** How many policies are fetched at once, and looked at in one go. */
const AT_ONCE = 4
const BATCH = 200

/**
 * When a policy that is fetched now is to be fetched again: a day later, or after half of its life, and up to a quarter earlier, so
 * that not all come at once. Undefined: not in the background.
 *
 * @param now - milliseconds since 1970
 */
export function planRefresh(refresh: number, random: () => number, policy: StsPolicy, now: number): number | undefined {
  const interval = Math.min(refresh, (policy.maxAge * 1000) / 2)
  if (interval < Math.min(SHORTEST_INTERVAL, refresh)) return undefined
  return Math.round(now + interval * (1 - random() / 4))
}

/** Fetches what is due, a few at once, and comes to an end when all of it has been tried. */
export async function refreshDue(options: RefreshOptions): Promise<void> {
  const now = options.now()
  const query = { now, usedSince: now - REMEMBERED, horizon: now + options.refresh, limit: BATCH }
  const due = await options.cache.due(query)
  if (due.ok) await forEach(due.value, AT_ONCE, (domain) => refreshOne(options, domain))
}

/** Does some work for each domain, for a few of them at once. */
export async function forEach(
  domains: readonly string[],
  atOnce: number,
  work: (domain: string) => Promise<void>,
): Promise<void> {
  const left = [...domains]
  const worker = async (): Promise<void> => {
    for (let domain = left.shift(); domain !== undefined; domain = left.shift()) await work(domain)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function refreshOne(options: RefreshOptions, domain: string): Promise<void> {
  const { cache, lookup, update, now } = options
  const known = await cache.read(domain)
  if (!known.ok || !known.value || !isValid(known.value, now())) return
  if (!isDue(known.value, now(), options.refresh)) return // another process was faster
  const entry = known.value

  // whether the record is found or not (RFC 8461 §10.2); a new id is only taken along
  const record = await discover(lookup, domain)
  const id = record.ok ? record.id : entry.id
  const done = await update({ domain, id, known: entry, usedAt: entry.usedAt, hurry: true })
  if (done.status === 'failed' || done.status === 'backed-off') await noteFailure(options, entry, id, done)
}

/** What is planned further ahead than it can be was planned before the clock was set back. */
function isDue({ refreshAt }: CachedPolicy, now: number, refresh: number): boolean {
  return refreshAt !== undefined && (refreshAt <= now || refreshAt > now + refresh)
}

async function noteFailure(
  { cache, log, now, random, refresh, onFetchFailure }: RefreshOptions,
  entry: CachedPolicy,
  id: string,
  done: Extract<Update, { readonly failure: FetchFailure }>,
): Promise<void> {
  const { domain, policy } = entry
  const noted = await cache.noteFailedRefresh(domain, now() + retryDelay(entry.failures, refresh, random))
  if (done.status === 'failed' && done.real && policy.mode !== 'none') onFetchFailure(domain, { ...done.failure, id })

  // once may be chance; a mode of none says that it is given up (T19)
  const failures = noted.ok ? noted.value : entry.failures + 1
  const level = policy.mode === 'none' ? 'debug' : failures === 1 ? 'info' : 'warn'
  const expiry = isoTime(expiryOf(entry, now()))
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  log(level, `MTA-STS policy of ${domain} could not be refreshed ${times}, it expires ${expiry}: ${done.failure.text}`)
}

/** 5 to 10 minutes, then twice as long each time, up to 6 hours: milliseconds. Never more than the horizon of {@link isDue}. */
function retryDelay(failures: number, refresh: number, random: () => number): number {
  return Math.round(Math.min(10 * MINUTE * 2 ** Math.min(failures, 10), 6 * HOUR, refresh) * (0.5 + random() / 2))
}
