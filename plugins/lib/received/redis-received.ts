/**
 * Received reports in Redis, for several hosts that share them: whichever of them a report comes to, it is one report.
 *
 * @module
 */

import { defineScript, KEY_PREFIX, type RedisConnection, type Reply, type SharedRedis } from '../store'
import type { KeptReport, ReceivedEntry } from './kept'
import { MOST_APART, MOST_OF_ONE, type EntryQuery, type ReceivedStore } from './store'
import { readEntry, readWritten, writeEntry, writeReport } from './written'

const PREFIX = `${KEY_PREFIX}received:`
const REPORT = `${PREFIX}report:`
/** Ids by the time they were received: those that count, those that do not, and those of each signer that count. */
const COUNTED = `${PREFIX}counted`
const APART = `${PREFIX}apart`
const OF_SIGNER = `${PREFIX}of:`

const PIECE = 200
/** For what is no delivery's business: milliseconds. */
const PATIENT = 10_000

/**
 * Keys: report, its list, the list that has a bound (the same, or that of its signer).
 * Words: id, entry, body, received, milliseconds to live, bound, prefix of reports.
 */
const ADD = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'copies', 1)
  return 0
end
redis.call('HSET', KEYS[1], 'entry', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[4] - ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
while redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[6]) do
  local oldest = redis.call('ZPOPMIN', KEYS[3])[1]
  redis.call('ZREM', KEYS[2], oldest)
  redis.call('DEL', ARGV[7] .. oldest)
end
return 1
`)

/** Keys: a list. Words: before, how many at most, prefix of reports. Answer: how many. */
const REMOVE_OLD = defineScript(`
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(old) do
  redis.call('DEL', ARGV[3] .. id)
  redis.call('ZREM', KEYS[1], id)
end
return #old
`)

/** The store on a server that is this store's own to close. */
export function createRedisReceived(redis: SharedRedis): ReceivedStore {
  const { run } = redis
  return {
    add: async (report, lifetime) => {
      const body = await writeReport(report)
      return run((connection) => add(connection, report.entry, body, lifetime))
    },
    entries: (query) => run((connection) => entries(connection, query), PATIENT),
    read: (id) => run((connection) => read(connection, id)),
    removeOld: async (before) => {
      const removed = await run((connection) => removeOld(connection, before), PATIENT)
      return removed.ok ? { ok: true, value: undefined } : removed
    },
    end: () => redis.close(),
  }
}

async function add(
  { script }: RedisConnection,
  entry: ReceivedEntry,
  body: Uint8Array,
  lifetime: number,
): Promise<'new' | 'known'> {
  const { id, isCounted, signedBy = '', receivedAt } = entry
  const list = isCounted ? COUNTED : APART
  const [bounded, most] = isCounted ? [OF_SIGNER + signedBy, MOST_OF_ONE] : [APART, MOST_APART]
  const words = [id, writeEntry(entry), body, receivedAt, Math.max(1, Math.round(lifetime)), most, REPORT]
  return (await script(ADD, [REPORT + id, list, bounded], words)) === 1 ? 'new' : 'known'
}

async function entries(
  connection: RedisConnection,
  { since, isCounted, after, limit }: EntryQuery,
): Promise<readonly ReceivedEntry[]> {
  const list = isCounted ? COUNTED : APART
  const found: ReceivedEntry[] = []
  for (let at = await placeOf(connection, list, after); found.length < limit; at += PIECE) {
    const reply = await connection.send('ZREVRANGEBYSCORE', list, '+inf', since, 'LIMIT', at, PIECE)
    const ids = texts(reply)
    const replies = await Promise.all(ids.map((id) => connection.send('HGET', REPORT + id, 'entry')))
    for (const text of replies) if (typeof text === 'string') found.push(readEntry(text))
    if (ids.length < PIECE) break
  }
  return found.slice(0, limit)
}

/** Where the page behind an entry begins, also when the entry itself has gone meanwhile. */
async function placeOf({ send }: RedisConnection, list: string, after: EntryQuery['after']): Promise<number> {
  if (after === undefined) return 0
  const rank = await send('ZREVRANK', list, after.id)
  return typeof rank === 'number' ? rank + 1 : Number(await send('ZCOUNT', list, after.receivedAt, '+inf'))
}

async function read({ send, sendForBytes }: RedisConnection, id: string): Promise<KeptReport | undefined> {
  const [entry, body] = await Promise.all([
    send('HGET', REPORT + id, 'entry'),
    sendForBytes('HGET', REPORT + id, 'body'),
  ])
  if (typeof entry !== 'string' || !Buffer.isBuffer(body)) return undefined
  return readWritten(readEntry(entry), body).catch(() => undefined)
}

async function removeOld({ script }: RedisConnection, before: number): Promise<void> {
  for (const list of [COUNTED, APART]) {
    let removed: number
    do removed = Number(await script(REMOVE_OLD, [list], [before, PIECE, REPORT]))
    while (removed === PIECE)
  }
}

function texts(reply: Reply): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
