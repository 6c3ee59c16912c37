/**
 * The policy of a domain, for a delivery: from the cache, from its policy host, or the reason why there is none (RFC 8461 §5.1).
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { Lookup } from '../dns'
import type { Done, Log } from '../store'
import type { StsCache } from './cache'
import { isValid, type CachedPolicy } from './cached-policy'
import { discover } from './discover'
import { cachedEvidence, fetchedEvidence, survivingEvidence, type StsEvidence, type StsReason } from './evidence'
import type { FetchFailure } from './failure'
import type { FetchPolicy } from './fetch'
import { createMaintenance } from './maintenance'
import { createMemoryCache, type MemoryCache } from './memory-cache'
import type { StsPolicy } from './policy'
import { planRefresh } from './refresh'
import { createUpdater, type Update, type Updater } from './update'

export interface StsResolverOptions {
  readonly lookup: Lookup
  readonly fetch: FetchPolicy
  readonly cache: StsCache
  readonly log: Log
  /** how long after a fetch a policy is fetched again in the background: milliseconds */
  readonly refresh: number
  /** `mta-sts-timeout`, for all that a policy may make a delivery wait: milliseconds */
  readonly timeout: number
  /** told of fetches in the background and for {@link StsResolver.recheck} that failed, for reports; those for a delivery are in its evidence */
  readonly onFetchFailure?: (domain: string, failure: FetchFailure & { readonly id: string }) => void
  /** how long a failed fetch is not repeated: milliseconds, 5 minutes unless tests say otherwise (T15) */
  readonly backOff?: number
  /** milliseconds since 1970 */
  readonly now?: () => number
  /** monotonic, milliseconds */
  readonly clock?: () => number
  readonly random?: () => number
}

/** Whether a domain has announced another policy, and there is reason to try again. */
export type Recheck = 'another' | 'the-same' | 'unknown'

export interface StsResolver {
  /**
   * The policy that applies to mail for a domain. Deliveries to one domain at the same time share what has to be done, and one of
   * them is given the failure to report.
   *
   * @param domain - the policy domain: that of the recipient, lower case, in A-labels
   */
  readonly policyFor: (domain: string) => Promise<StsEvidence>
  /**
   * Looks past all caches whether the domain has announced another policy than the one that was applied (T27), and fetches it. Messages
   * that are refused at the same time share the answer.
   *
   * @param applied - the policy that was: where the cache has another one by now, that is one
   * @returns `unknown`: the lookup failed, or there is another one, and it cannot be fetched now
   */
  readonly recheck: (domain: string, applied?: StsPolicy) => Promise<Recheck>
  /** Fetches again what is due. {@link start} has it done from time to time. */
  readonly refreshDue: () => Promise<void>
  /** Begins to keep policies fresh, and to follow the command. The timer does not keep the process alive. */
  readonly start: () => void
  /** Ends what {@link start} began. Deliveries may go on asking. */
  readonly stop: () => Promise<void>
  /** Ends what is under way and saves what is to be saved. */
  readonly close: () => Promise<void>
}

const FIVE_MINUTES = 300_000
/** How long a resolver may remember a record. */
const LONGEST_TTL = 3_600_000

/** Makes the resolver of this process. It does nothing before it is asked or started. */
export function createStsResolver(options: StsResolverOptions): StsResolver {
  const { lookup, cache, log, refresh } = options
  const { now = Date.now, clock = () => performance.now(), random = Math.random, backOff = FIVE_MINUTES } = options
  const closing = new AbortController()
  const memory = createMemoryCache(cache, clock)
  const update = createUpdater({
    ...{ fetch: options.fetch, timeout: options.timeout, memory, cache, now, clock, backOff },
    planRefresh: (policy, at) => planRefresh(refresh, random, policy, at),
    owner: randomUUID(),
    closing: closing.signal,
  })
  const onFetchFailure = options.onFetchFailure ?? (() => undefined)
  const maintenance = createMaintenance({
    lookup,
    cache,
    memory,
    update,
    log,
    now,
    clock,
    random,
    refresh,
    onFetchFailure,
  })
  const running = new Map<string, Promise<StsEvidence>>()
  const rechecking = new Map<string, Promise<Recheck>>()
  const context = { lookup, memory, update, now }

  return {
    policyFor: async (domain) => {
      const joined = running.get(domain)
      if (joined) return withoutReport(await joined)
      const evidence = findPolicy(context, domain).finally(() => running.delete(domain))
      running.set(domain, evidence)
      if ((await evidence).source?.startsWith('cached') === true) maintenance.noteUse(domain)
      return evidence
    },
    recheck: async (domain, applied) => {
      const asked =
        rechecking.get(domain) ?? recheck(context, domain, onFetchFailure).finally(() => rechecking.delete(domain))
      rechecking.set(domain, asked)
      const found = await asked
      return found === 'the-same' && (await isReplaced(context, domain, applied)) ? 'another' : found
    },
    refreshDue: maintenance.refreshDue,
    start: maintenance.start,
    stop: maintenance.stop,
    close: async () => {
      closing.abort(new Error('ended by a shutdown'))
      await Promise.allSettled(running.values())
      await maintenance.stop()
      cache.close()
    },
  }
}

interface Context {
  readonly lookup: Lookup
  readonly memory: MemoryCache
  readonly update: Updater
  readonly now: () => number
}

async function findPolicy({ lookup, memory, update, now }: Context, domain: string): Promise<StsEvidence> {
  const [found, cached] = await Promise.all([discover(lookup, domain), memory.read(domain)])
  const known = cached.ok ? cached.value : undefined
  const entry = known && isValid(known, now()) ? known : undefined

  // another process may have fetched under a record that is newer than the one our resolver remembers
  const mayBeOutdated = found.ok && entry && entry.id !== found.id && now() - entry.fetchedAt < LONGEST_TTL
  const record = mayBeOutdated ? await discover(lookup, domain, true) : found

  if (!record.ok) return entry ? survivingEvidence(entry, now(), record) : noPolicy(record, cached)
  if (entry?.id === record.id) return cachedEvidence(entry, now())

  const done = await update({ domain, id: record.id, known, usedAt: now() })
  if (done.status === 'fetched') return fetchedEvidence(done.entry, now())
  const problem = updateProblem(done, record.id)
  return entry ? survivingEvidence(entry, now(), problem) : noPolicy(problem, cached)
}

interface Problem extends Pick<StsEvidence, 'fetchFailure'> {
  readonly why: StsReason
  readonly text: string
}

function updateProblem(done: Exclude<Update, { readonly status: 'fetched' }>, id: string): Problem {
  if (done.status === 'busy') return { why: 'fetch-failed', text: 'another process is fetching the policy' }
  const text = `policy could not be fetched: ${done.failure.text}`
  if (done.status === 'backed-off') return { why: 'backed-off', text: `${text} (not tried again yet)` }
  return { why: 'fetch-failed', text, ...(done.real ? { fetchFailure: { ...done.failure, id } } : {}) }
}

/**
 * Without a policy, live or cached (T17). Where the cache cannot be read one may be in force all the same: only a domain that
 * announces none is then known to have none.
 */
function noPolicy({ text, ...problem }: Problem, cached: Done<CachedPolicy | undefined>): StsEvidence {
  if (cached.ok) return { status: 'none', ...problem, text: `no MTA-STS policy: ${text}` }
  if (problem.why === 'no-record') return { status: 'none', ...problem, text: `no MTA-STS policy: ${text}` }
  return {
    status: 'failed',
    ...problem,
    why: 'cache-unreadable',
    text: `${text}, and the policy cache: ${cached.text}`,
  }
}

async function recheck(
  { lookup, memory, update, now }: Context,
  domain: string,
  onFetchFailure: NonNullable<StsResolverOptions['onFetchFailure']>,
): Promise<Recheck> {
  const [record, cached] = await Promise.all([discover(lookup, domain, true), memory.read(domain)])
  const known = cached.ok ? cached.value : undefined
  if (!record.ok) return record.why === 'lookup-failed' ? 'unknown' : 'the-same'
  if (record.id === known?.id) return 'the-same'
  const done = await update({ domain, id: record.id, known, usedAt: now() })
  if (done.status === 'failed' && done.real) onFetchFailure(domain, { ...done.failure, id: record.id }) // T28
  return done.status === 'fetched' ? 'another' : 'unknown'
}

/** Whether the cache has another policy by now than the one that was applied: another message or process may have fetched it. */
async function isReplaced({ memory }: Context, domain: string, applied: StsPolicy | undefined): Promise<boolean> {
  const cached = await memory.read(domain)
  if (applied === undefined || !cached.ok || cached.value === undefined) return false
  const { mode, mx } = cached.value.policy
  return mode !== applied.mode || mx.join(' ') !== applied.mx.join(' ')
}

/** A failed fetch is reported once, by the delivery that it was for. */
function withoutReport(evidence: StsEvidence): StsEvidence {
  const { fetchFailure, ...rest } = evidence
  return fetchFailure ? rest : evidence
}
