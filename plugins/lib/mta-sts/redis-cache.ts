/**
 * Policies in Redis, for several hosts that share them: what one has fetched applies on all of them.
 *
 * What must go together is done in one script. Whatever is not removed by us expires by itself, so that nothing is left behind where no
 * worker runs any more.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { KEY_PREFIX, type Done, type RedisConnection, type Reply, type SharedRedis } from '../store'
import {
  expiryOf,
  type CachedPolicy,
  type DueQuery,
  type FailedFetch,
  type ListedPolicy,
  type PolicyCensus,
  type StsCache,
} from './cache'
import type { FetchFailure } from './failure'
import { readStsPolicy } from './policy'
import {
  DROP,
  DUE,
  NOTE_FAILED_FETCH,
  NOTE_FAILED_REFRESH,
  NOTE_USES,
  RELEASE,
  REMOVE_OLD,
  RENEW,
  SAVE,
} from './redis-scripts'

const PREFIX = `${KEY_PREFIX}sts:`
const POLICY = `${PREFIX}policy:`
const FAILED = `${PREFIX}failed:`
const CLAIM = `${PREFIX}claim:`
/** The domains that have a policy, by its expiry; those of them that are kept fresh, by their next refresh. */
const BY_EXPIRY = `${PREFIX}by-expiry`
const BY_REFRESH = `${PREFIX}by-refresh`
/** The same, those of one mode, and those that could not be refreshed when that was last tried. */
const OF_MODE = { enforce: `${PREFIX}enforce`, testing: `${PREFIX}testing`, none: `${PREFIX}none` } as const
const FAILING = `${PREFIX}failing`
const COUNTED = [...Object.values(OF_MODE), FAILING]
const REQUESTS = `${PREFIX}requests`
/** Another text after each change. */
const GENERATION = `${PREFIX}generation`

const DAY = 86_400_000
/** Beyond its expiry a policy is kept for a week to be shown, see {@link StsCache.removeOld}; this is for when nobody removes it. */
const KEPT_AFTER_EXPIRY = 8 * DAY
const FAILURE_KEPT = 7 * DAY
/** How many policies are listed, noted or removed in one go. */
const PIECE = 500
/** For what is no delivery's business: milliseconds. */
const PATIENT = 10_000

/** The cache on a server that is this cache's own to close. */
export function createRedisCache(redis: SharedRedis): StsCache {
  const { run } = redis
  const act = async (work: (redis: RedisConnection) => Promise<unknown>, limit?: number): Promise<Done<void>> => {
    const done = await run(work, limit)
    return done.ok ? { ok: true, value: undefined } : done
  }

  return {
    read: (domain) => run((connection) => readPolicy(connection, domain)),
    save: (entry) => act((connection) => savePolicy(connection, entry)),
    generation: () => run(async ({ send }) => String((await send('GET', GENERATION)) ?? '')),
    claim: (domain, owner, now, until) =>
      run(async ({ send }) => (await send('SET', CLAIM + domain, owner, 'NX', 'PX', span(until - now))) === 'OK'),
    renewClaim: (domain, owner, now, until) =>
      act(({ script }) => script(RENEW, [CLAIM + domain], [owner, span(until - now)])),
    release: (domain, owner) => act(({ script }) => script(RELEASE, [CLAIM + domain], [owner])),
    failedFetch: (domain, id) => run(async ({ send }) => asFailure(id, await send('HGET', FAILED + domain, id))),
    noteFailedFetch: (domain, failed) => act((connection) => noteFailedFetch(connection, domain, failed)),
    due: (query) => run((connection) => due(connection, query)),
    noteFailedRefresh: (domain, nextAt) =>
      run(async ({ script }) =>
        Number(await script(NOTE_FAILED_REFRESH, [POLICY + domain, BY_REFRESH, FAILING], [domain, nextAt])),
      ),
    noteUses: (uses) => act((connection) => noteUses(connection, uses), PATIENT),
    removeOld: (before) => act((connection) => removeOld(connection, before), PATIENT),
    takeRequests: () => run(takeRequests),
    listPolicies: (domain) => run((connection) => listPolicies(connection, domain), PATIENT),
    policiesBehind: (after, limit) => run((connection) => policiesBehind(connection, after, limit), PATIENT),
    census: (now) => run((connection) => census(connection, now)),
    lastFailure: (domain) => run((connection) => lastFailure(connection, domain)),
    requestRefetch: (domain, now) => act(({ send }) => send('ZADD', REQUESTS, now, domain)),
    isRequested: (domain) => run(async ({ send }) => (await send('ZSCORE', REQUESTS, domain)) !== null),
    dropPolicy: (domain) => run((connection) => dropPolicy(connection, domain)),
    close: () => redis.close(),
  }
}

/** A time to live: the server counts it, so that the clocks of several hosts need not agree. Milliseconds. */
function span(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds))
}

async function readPolicy({ send }: RedisConnection, domain: string): Promise<CachedPolicy | undefined> {
  return asPolicy(domain, await send('HGETALL', POLICY + domain))
}

/** The body has been read before, so it is a policy; if another version of this program thinks otherwise, there is none. */
function asPolicy(domain: string, reply: Reply): CachedPolicy | undefined {
  const fields = new Map(pairs(reply))
  const read = readStsPolicy(fields.get('body') ?? '')
  if (!read.ok) return undefined
  const number = (name: string) => Number(fields.get(name))
  return {
    domain,
    id: fields.get('id') ?? '',
    policy: read.policy,
    fetchedAt: number('fetched'),
    usedAt: number('used'),
    refreshAt: fields.has('refresh') ? number('refresh') : undefined,
    failures: number('failures'),
  }
}

async function savePolicy({ script }: RedisConnection, entry: CachedPolicy): Promise<void> {
  const { domain, id, policy, fetchedAt, usedAt, refreshAt, failures } = entry
  const expires = expiryOf(entry, fetchedAt)
  const lifetime = span(expires - fetchedAt + KEPT_AFTER_EXPIRY)
  const ours = OF_MODE[policy.mode]
  const counted = [ours, ...COUNTED.filter((key) => key !== ours)]
  await script(
    SAVE,
    [POLICY + domain, FAILED + domain, BY_EXPIRY, BY_REFRESH, GENERATION, ...counted],
    [domain, id, policy.text, fetchedAt, expires, usedAt, refreshAt ?? '', failures, lifetime, randomUUID()],
  )
}

async function noteFailedFetch({ script }: RedisConnection, domain: string, failed: FailedFetch): Promise<void> {
  const { id, at, failure } = failed
  await script(NOTE_FAILED_FETCH, [FAILED + domain], [id, `${at} ${failure.type} ${failure.text}`, FAILURE_KEPT])
}

async function due(
  { script }: RedisConnection,
  { now, usedSince, horizon, limit }: DueQuery,
): Promise<readonly string[]> {
  return texts(await script(DUE, [BY_REFRESH], [POLICY, now, usedSince, horizon, limit]))
}

async function noteUses({ script }: RedisConnection, uses: ReadonlyMap<string, number>): Promise<void> {
  const words = [...uses].flat()
  for (let at = 0; at < words.length; at += 2 * PIECE)
    await script(NOTE_USES, [BY_REFRESH], [POLICY, ...words.slice(at, at + 2 * PIECE)])
}

async function removeOld({ send, script }: RedisConnection, before: number): Promise<void> {
  await send('ZREMRANGEBYSCORE', REQUESTS, '-inf', `(${before}`)
  let removed: number
  do removed = Number(await script(REMOVE_OLD, [BY_EXPIRY, BY_REFRESH, ...COUNTED], [POLICY, before, PIECE]))
  while (removed === PIECE)
}

/** Each of them is handed out once; one whose answer is lost on its way is lost. */
async function takeRequests({ send }: RedisConnection): Promise<readonly string[]> {
  return pairs(await send('ZPOPMIN', REQUESTS, PIECE)).map(([domain]) => domain)
}

async function listPolicies(connection: RedisConnection, domain: string | undefined): Promise<readonly ListedPolicy[]> {
  return listEach(connection, domain === undefined ? await allDomains(connection) : [domain])
}

async function policiesBehind(
  connection: RedisConnection,
  after: string,
  limit: number,
): Promise<readonly ListedPolicy[]> {
  const behind = (await allDomains(connection)).filter((domain) => domain > after)
  return listEach(connection, behind.slice(0, limit))
}

async function allDomains({ send }: RedisConnection): Promise<readonly string[]> {
  return texts(await send('ZRANGE', BY_EXPIRY, 0, -1)).sort()
}

async function census({ send }: RedisConnection, now: number): Promise<PolicyCensus> {
  const count = async (key: string) => Number(await send('ZCOUNT', key, `(${now}`, '+inf'))
  const [enforce, testing, none, failing] = await Promise.all([
    count(OF_MODE.enforce),
    count(OF_MODE.testing),
    count(OF_MODE.none),
    count(FAILING),
  ])
  return { modes: { enforce, testing, none }, failing }
}

async function listEach(connection: RedisConnection, domains: readonly string[]): Promise<readonly ListedPolicy[]> {
  const listed: ListedPolicy[] = []
  for (let at = 0; at < domains.length; at += PIECE)
    for (const one of await Promise.all(domains.slice(at, at + PIECE).map((name) => listPolicy(connection, name))))
      if (one) listed.push(one)
  return listed
}

async function listPolicy(connection: RedisConnection, domain: string): Promise<ListedPolicy | undefined> {
  const [entry, failed] = await Promise.all([readPolicy(connection, domain), lastFailure(connection, domain)])
  return entry && { ...entry, expiresAt: expiryOf(entry, entry.fetchedAt), lastFailure: failed }
}

async function lastFailure({ send }: RedisConnection, domain: string): Promise<FailedFetch | undefined> {
  const failures = pairs(await send('HGETALL', FAILED + domain)).map(([id, text]) => asFailure(id, text))
  return failures.filter((one) => one !== undefined).sort((a, b) => b.at - a.at)[0]
}

function asFailure(id: string, reply: Reply): FailedFetch | undefined {
  const [, at, type, text = ''] = /^(\d+) (\S+) ([^]*)$/.exec(typeof reply === 'string' ? reply : '') ?? []
  if (at === undefined) return undefined
  return { id, at: Number(at), failure: { type: type as FetchFailure['type'], text } } // only we write it
}

async function dropPolicy({ script }: RedisConnection, domain: string): Promise<boolean> {
  const keys = [POLICY + domain, FAILED + domain, BY_EXPIRY, BY_REFRESH, GENERATION, ...COUNTED]
  return (await script(DROP, keys, [domain, randomUUID()])) === 1
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}

/** What Redis tells as name, value, name, value. */
function pairs(reply: Reply): readonly (readonly [string, string])[] {
  const flat = texts(reply)
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
}
