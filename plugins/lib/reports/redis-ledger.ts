/**
 * The ledger in Redis, for the workers of several hosts: whichever of them has the lease sends the reports of all.
 *
 * What must go together is done in one script. What is over expires by itself; what is not, long after the last worker.
 *
 * @module
 */

import type { Done, RedisConnection, Reply, SharedRedis } from '../store'
import type { Lease, ReportLedger, SendRequest, Suppression, Timetable } from './ledger'
import { REQUESTS, SUPPRESSIONS, TIMETABLES } from './redis-keys'
import { change, count, due, frozen, list, read, removeOld, schedule, type Lifetimes } from './redis-reports'
import { GIVE_LEASE_BACK, SAVE_TIMETABLES, TAKE_LEASE } from './redis-scripts'

export interface RedisLedgerOptions {
  /** this ledger's own to close */
  readonly redis: SharedRedis
  /** how long reports that are over are kept where nobody removes them: milliseconds */
  readonly retention: number
}

const DAY = 86_400_000
/** Beyond their retention, so that none expires that can still be shown. */
const MORE = 2 * DAY
/** Of what nobody works on any more. */
const LONG = 365 * DAY
/** Requests that are handed out in one go. */
const PIECE = 500
/** For what is no delivery's business: milliseconds. */
const PATIENT = 10_000

/** Nothing is asked of the server before it is needed. */
export function createRedisLedger({ redis, retention }: RedisLedgerOptions): ReportLedger {
  const lifetimes: Lifetimes = { over: retention + MORE, pending: retention + LONG }
  const run: SharedRedis['run'] = (work) => redis.run(work, PATIENT)
  const act = async (work: (connection: RedisConnection) => Promise<unknown>): Promise<Done<void>> => {
    const done = await run(work)
    return done.ok ? { ok: true, value: undefined } : done
  }

  return {
    takeLease: (holder, now, until) => run((connection) => takeLease(connection, holder, now, until)),
    giveLeaseBack: ({ holder, fence }) => act(({ script }) => script(GIVE_LEASE_BACK, [], [holder, fence])),
    timetables: () => run(async ({ send }) => readTimetables(await send('GET', TIMETABLES))),
    saveTimetables: (lease, all) => run((connection) => saveTimetables(connection, lease, all)),
    schedule: (lease, reports) => run((connection) => schedule(connection, lease, reports, lifetimes)),
    due: (now, limit) => run((connection) => due(connection, now, limit)),
    change: (entry, changes, lease) => run((connection) => change(connection, entry, changes, lease, lifetimes)),
    read: (key) => run((connection) => read(connection, key)),
    frozen: (key) => run((connection) => frozen(connection, key)),
    list: (query) => run((connection) => list(connection, query)),
    count: (state, most) => run((connection) => count(connection, state, most)),
    removeOld: (before) => removeOld(run, before),
    suppressions: () => run(suppressions),
    suppress: (pattern, now) => act(({ send }) => send('HSETNX', SUPPRESSIONS, pattern, now)),
    unsuppress: (pattern) => run(async ({ send }) => (await send('HDEL', SUPPRESSIONS, pattern)) === 1),
    requestSend: ({ domain, at }) => act(({ send }) => send('ZADD', REQUESTS, at, domain)),
    isSendRequested: (domain) => run(async ({ send }) => (await send('ZSCORE', REQUESTS, domain)) !== null),
    takeSendRequests: () => run(takeSendRequests),
    end: () => redis.close(),
  }
}

async function takeLease(
  { script }: RedisConnection,
  holder: string,
  now: number,
  until: number,
): Promise<Lease | undefined> {
  const fence = await script(TAKE_LEASE, [], [holder, now, until])
  return typeof fence === 'number' ? { holder, fence, until } : undefined
}

async function saveTimetables(
  { script }: RedisConnection,
  { holder, fence }: Lease,
  all: readonly Timetable[],
): Promise<boolean> {
  const sorted = all.toSorted((a, b) => (a.group < b.group ? -1 : 1))
  return (await script(SAVE_TIMETABLES, [TIMETABLES], [holder, fence, JSON.stringify(sorted)])) === 1
}

/** Only we write them. */
function readTimetables(reply: Reply): readonly Timetable[] {
  return typeof reply === 'string' ? (JSON.parse(reply) as readonly Timetable[]) : []
}

/** As many as the administrator has made. */
async function suppressions({ send }: RedisConnection): Promise<readonly Suppression[]> {
  return pairs(await send('HGETALL', SUPPRESSIONS))
    .map(([pattern, since]) => ({ pattern, since: Number(since) }))
    .sort((a, b) => (a.pattern < b.pattern ? -1 : 1))
}

/** One whose answer is lost on its way is lost. */
async function takeSendRequests({ send }: RedisConnection): Promise<readonly SendRequest[]> {
  return pairs(await send('ZPOPMIN', REQUESTS, PIECE)).map(([domain, at]) => ({ domain, at: Number(at) }))
}

/** What Redis tells as name, value, name, value. */
function pairs(reply: Reply): readonly (readonly [string, string])[] {
  const flat = Array.isArray(reply) ? reply.map(String) : []
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
}
