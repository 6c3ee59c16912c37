/**
 * What there is to look at, in Redis: the engine for several hosts, which see the same.
 *
 * @module
 */

import { KEY_PREFIX, type Done, type RedisConnection, type SharedRedis, type Word } from '../store'
import { OVERDUE, type Sighting } from './facts'
import * as read from './redis-read'
import { ADD, REMOVE_DESTINATIONS, REMOVE_REST, REMOVE_WAITING } from './redis-scripts'
import type { MonitorBatch, MonitorStore } from './store'

export interface RedisMonitorOptions {
  /** this store's own to close */
  readonly redis: SharedRedis
  /** how long what was seen is kept where nobody removes it: milliseconds */
  readonly retention: number
}

const PREFIX = `${KEY_PREFIX}monitor:`
const DAY = 86_400_000
/** Beyond their retention: so that none expires that is still to be seen. */
const MORE = 2 * DAY
/** How long a batch is known again for: milliseconds. A writer that cannot write for longer has other worries. */
const WRITER_KEPT = 7 * DAY
/** What is removed in one go. */
const PIECE = 500
/** For what is no delivery's business: milliseconds. */
const PATIENT = 10_000

/** Nothing is asked of the server before it is needed. */
export function createRedisMonitor({ redis, retention }: RedisMonitorOptions): MonitorStore {
  const run: SharedRedis['run'] = (work) => redis.run(work, PATIENT)
  return {
    add: (batch, now) => redis.run((connection) => addBatch(connection, batch, now, retention + MORE)),
    amounts: (machine) => run((connection) => read.amounts(connection, PREFIX, machine)),
    levels: (span) => run((connection) => read.levels(connection, PREFIX, span)),
    waiting: (now, limit) => run((connection) => read.waiting(connection, PREFIX, now, limit)),
    waitingFor: (domain, now, limit) => run((connection) => read.waitingFor(connection, PREFIX, domain, now, limit)),
    census: () => run((connection) => read.census(connection, PREFIX)),
    destinations: (query) => run((connection) => read.destinations(connection, PREFIX, query)),
    destination: (domain) => run((connection) => read.destination(connection, PREFIX, domain)),
    resolvers: () => run((connection) => read.resolvers(connection, PREFIX)),
    removeOld: (before, now) => removeOld(run, before, now),
    end: () => redis.close(),
  }
}

async function addBatch(
  { script }: RedisConnection,
  batch: MonitorBatch,
  now: number,
  lifetime: number,
): Promise<boolean> {
  const { writer, number, machine, amounts, levels, sightings, waiting, resolver } = batch
  const reply = await script(
    ADD,
    [`${PREFIX}writer:${writer}`, `${PREFIX}amounts:${machine}`],
    [
      ...[PREFIX, number, Math.round(lifetime), WRITER_KEPT, Math.round(now)],
      ...[amounts.length, ...amounts.flatMap(({ meter, labels, value }) => [`${meter} ${labels}`, value])],
      ...[
        levels.length,
        ...levels.flatMap(({ hour, level, tlsVersion = '', count }) => {
          return [Math.floor(hour / DAY), `${hour}|${level}|${tlsVersion}`, count]
        }),
      ],
      ...[sightings.length, ...sightings.flatMap(sightingWords)],
      ...[
        waiting.length,
        ...waiting.flatMap(({ id, message }): Word[] => {
          if (message === undefined) return [id, '', '', '', '', '']
          const { since, nextAt, domain, status, reasons, text } = message
          return [id, Math.round(since), Math.round(nextAt), now, domain, JSON.stringify([status, reasons, text])]
        }),
      ],
      ...[resolver?.machine ?? '', resolver === undefined ? '' : JSON.stringify(resolver)],
    ],
  )
  return reply === 1
}

function sightingWords({ at, domain, host = '', level, tlsVersion, reason, text }: Sighting): Word[] {
  const place = `${level === 'refused' ? 0 : 1}|${host}`
  return [domain, place, at, JSON.stringify([level, tlsVersion ?? null, reason, text])]
}

async function removeOld(run: SharedRedis['run'], before: number, now: number): Promise<Done<void>> {
  const lists = [`${PREFIX}destinations`, `${PREFIX}destinations:by-seen`]
  const steps = [
    ({ script }: RedisConnection) => script(REMOVE_DESTINATIONS, lists, [PREFIX, before, PIECE]),
    ({ script }: RedisConnection) => script(REMOVE_WAITING, [], [PREFIX, now - OVERDUE, PIECE]),
  ]
  for (const step of steps) {
    for (let removed = PIECE; removed === PIECE;) {
      const done = await run(async (connection) => Number(await step(connection)))
      if (!done.ok) return done
      removed = done.value
    }
  }
  const done = await run(async (connection) => {
    const old = (await read.resolvers(connection, PREFIX)).filter(({ at }) => at < before)
    const words = [PREFIX, Math.floor(before / DAY), ...old.map(({ machine }) => machine)]
    await connection.script(REMOVE_REST, [`${PREFIX}days`, `${PREFIX}resolvers`], words)
  })
  return done.ok ? { ok: true, value: undefined } : done
}
