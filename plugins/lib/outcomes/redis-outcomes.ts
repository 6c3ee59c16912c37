/**
 * Outcomes in Redis: the engine for several hosts, whose counts add up there.
 *
 * @module
 */

import type { Done, RedisConnection, SharedRedis } from '../store'
import { addBatch } from './redis-add'
import { CLOSED, countsKey, DAYS, domainsKey, HOURS } from './redis-keys'
import { domainsOf, policiesOfEach, sessionsOf, texts } from './redis-read'
import { CLOSE, REMOVE } from './redis-scripts'
import type { OutcomeStore } from './store'
import { DAY } from './written'

export interface RedisOutcomesOptions {
  /** this store's own to close */
  readonly redis: SharedRedis
  /** how long counts are kept where nobody removes them: milliseconds */
  readonly retention: number
}

/** Beyond their retention: so that none expires that is still to be removed, or reported. */
const MORE = 2 * DAY
/** Domains that are removed in one go. */
const PIECE = 500
/** For what is no delivery's business: milliseconds. */
const PATIENT = 10_000

/** Nothing is asked of the server before it is needed. */
export function createRedisOutcomes({ redis, retention }: RedisOutcomesOptions): OutcomeStore {
  const { run } = redis
  const patiently: SharedRedis['run'] = (work) => run(work, PATIENT)
  return {
    add: (batch) => run((connection) => addBatch(connection, batch, retention + MORE)),
    close: (instant) => run(async ({ script }) => Number(await script(CLOSE, [CLOSED], [instant]))),
    firstHour: () => run(firstHour),
    domainsOf: (period, after, limit) => domainsOf(patiently, period, after, limit),
    policiesOf: async (domain, period) => {
      const facts = await policiesOfEach(patiently, [domain], period)
      return facts.ok ? { ok: true, value: facts.value[0] ?? [] } : facts
    },
    policiesOfEach: (domains, period) => policiesOfEach(patiently, domains, period),
    sessionsOf: (query) => sessionsOf(patiently, query),
    removeOld: (before) => removeDays(patiently, Math.floor(before / DAY)),
    end: () => redis.close(),
  }
}

async function firstHour({ send }: RedisConnection): Promise<number | undefined> {
  const [first] = texts(await send('ZRANGE', HOURS, 0, 0))
  return first === undefined ? undefined : Number(first)
}

/**
 * Removes the days before a day. Policies expire by themselves.
 *
 * @param day - counted from 1970 in UTC
 */
async function removeDays(run: SharedRedis['run'], day: number): Promise<Done<void>> {
  const old = await run(async ({ send }) => {
    await send('ZREMRANGEBYSCORE', HOURS, '-inf', `(${day * DAY}`)
    return texts(await send('ZRANGEBYSCORE', DAYS, '-inf', `(${day}`)).map(Number)
  })
  if (!old.ok) return old
  for (const one of old.value) {
    for (let left = 1; left > 0;) {
      const keys = [domainsKey(one), DAYS]
      const done = await run(async ({ script }) => Number(await script(REMOVE, keys, [countsKey(one, ''), one, PIECE])))
      if (!done.ok) return done
      left = done.value
    }
  }
  return { ok: true, value: undefined }
}
