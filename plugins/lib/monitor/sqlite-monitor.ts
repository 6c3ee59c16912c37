/**
 * What there is to look at, in a SQLite file of its own: the engine for one machine, whatever the number of its workers.
 *
 * @module
 */

import { parse } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openShared, type Done, type Log, type SharedDatabase } from '../store'
import { MOST_DESTINATIONS, OVERDUE, type DestinationPage, type DestinationQuery } from './facts'
import {
  amounts,
  census,
  destination,
  entryOf,
  levels,
  resolvers,
  scanDestinations,
  waiting,
  waitingFor,
} from './sqlite-read'
import { addBatch, removeDestinations, removeRest, removeSurplus } from './sqlite-write'
import type { MonitorStore } from './store'

const MIGRATIONS = [
  `CREATE TABLE writer (id TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE amount (
     machine TEXT NOT NULL,
     meter TEXT NOT NULL,
     labels TEXT NOT NULL,
     value REAL NOT NULL,
     PRIMARY KEY (machine, meter, labels)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE level (
     hour INTEGER NOT NULL,
     level TEXT NOT NULL,
     version TEXT NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (hour, level, version)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE destination (
     domain TEXT PRIMARY KEY,
     refused INTEGER NOT NULL,
     delivered INTEGER NOT NULL,
     rank INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX destination_by_rank ON destination (rank, domain);
   CREATE TABLE host (
     domain TEXT NOT NULL,
     host TEXT NOT NULL,
     opened INTEGER NOT NULL,
     at INTEGER NOT NULL,
     level TEXT NOT NULL,
     version TEXT NOT NULL,
     reason TEXT NOT NULL,
     text TEXT NOT NULL,
     PRIMARY KEY (domain, host, opened)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE waiting (
     id TEXT PRIMARY KEY,
     domain TEXT NOT NULL,
     since INTEGER NOT NULL,
     next INTEGER NOT NULL,
     status TEXT NOT NULL,
     reasons TEXT NOT NULL,
     text TEXT NOT NULL,
     at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX waiting_by_domain ON waiting (domain, since, next);
   CREATE TABLE resolver (machine TEXT PRIMARY KEY, at INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID`,
]

/** The file of what there is to look at beside that of the counts: `outbound-tls.db` has `outbound-tls-status.db`. */
export function monitorPath(storePath: string): string {
  const { dir, name, ext } = parse(storePath)
  return `${dir}${dir === '' || dir.endsWith('/') ? '' : '/'}${name}-status${ext}`
}

export interface SqliteMonitorOptions {
  /** see {@link monitorPath} */
  readonly path: string
  readonly log: Log
  /** false, for the command: only workers make the file, so that it is theirs */
  readonly create?: boolean
}

/** Opens the store when it is first used. A damaged file is put aside. */
export function createSqliteMonitor(options: SqliteMonitorOptions): MonitorStore {
  const { run, runNow, close } = openShared({ ...options, migrations: MIGRATIONS })
  return {
    add: (batch, now) => run((connection) => addBatch(connection, batch, now)),
    addNow: (batch, now) => runNow((connection) => addBatch(connection, batch, now)),
    amounts: (machine) => run((connection) => amounts(connection, machine)),
    levels: (span) => run((connection) => levels(connection, span)),
    waiting: (now, limit) => run((connection) => waiting(connection, now, limit)),
    waitingFor: (domain, now, limit) => run((connection) => waitingFor(connection, domain, now, limit)),
    census: () => run(census),
    destinations: (query) => destinations(run, query),
    destination: (domain) => run((connection) => destination(connection, domain)),
    resolvers: () => run(resolvers),
    removeOld: (before, now) => removeOld(run, before, now),
    end: close,
  }
}

/** Rows that are looked at before everything else gets its turn: about a millisecond. */
const PIECE = 1000

async function destinations(run: SharedDatabase['run'], query: DestinationQuery): Promise<Done<DestinationPage>> {
  const { search, limit } = query
  const found: { readonly rank: number; readonly domain: string }[] = []
  let after = query.after
  while (found.length <= limit) {
    const from = after
    const size = search === '' ? limit + 1 : PIECE
    const piece = await run((connection) => scanDestinations(connection, from, size))
    if (!piece.ok) return piece
    found.push(...piece.value.filter(({ domain }) => domain.includes(search)))
    after = piece.value.at(-1)
    if (piece.value.length < size) break
    await setImmediate()
  }
  const shown = found.slice(0, limit)
  const entries = await run((connection) => shown.map(({ domain }) => entryOf(connection, domain)))
  if (!entries.ok) return entries
  return { ok: true, value: { entries: entries.value, next: found.length > limit ? shown.at(-1) : undefined } }
}

async function removeOld(run: SharedDatabase['run'], before: number, now: number): Promise<Done<void>> {
  let from: string | undefined = ''
  while (from !== undefined) {
    const behind: string = from
    const done = await run((connection) => removeDestinations(connection, before, behind))
    if (!done.ok) return done
    from = done.value
    await setImmediate()
  }
  for (;;) {
    const done = await run((connection) => removeSurplus(connection, MOST_DESTINATIONS))
    if (!done.ok) return done
    if (done.value === 0) break
    await setImmediate()
  }
  const done = await run((connection) => removeRest(connection, before, now - OVERDUE))
  return done.ok ? { ok: true, value: undefined } : done
}
