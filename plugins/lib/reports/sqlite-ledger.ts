/**
 * The ledger in a SQLite file of its own, for the workers of one machine. What is not sent yet must survive whatever happens to the
 * counts beside it.
 *
 * @module
 */

import { parse } from 'node:path'
import { openShared, type Connection, type Done, type Log } from '../store'
import type { Lease, ReportLedger, SendRequest, Suppression, Timetable } from './ledger'
import {
  bringForward,
  change,
  count,
  due,
  frozen,
  list,
  read,
  REPORT_TABLES,
  removeSomeOld,
  schedule,
} from './sqlite-reports'

const MIGRATIONS = [
  `${REPORT_TABLES}
   CREATE TABLE lease (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     holder TEXT NOT NULL,
     fence INTEGER NOT NULL,
     until INTEGER NOT NULL
   ) STRICT;
   INSERT INTO lease VALUES (1, '', 0, 0);
   CREATE TABLE timetable (name TEXT PRIMARY KEY, through INTEGER NOT NULL, length TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE suppression (pattern TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE request (domain TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
]

/** The file of the ledger beside that of the counts: `outbound-tls.db` has `outbound-tls-reports.db`. */
export function ledgerPath(storePath: string): string {
  const { dir, name, ext } = parse(storePath)
  return `${dir}${dir === '' || dir.endsWith('/') ? '' : '/'}${name}-reports${ext}`
}

export interface SqliteLedgerOptions {
  /** see {@link ledgerPath} */
  readonly path: string
  readonly log: Log
  /** false, for the command: only workers make the file, so that it is theirs */
  readonly create?: boolean
}

/** Opens the ledger when it is first used. A damaged file is put aside. */
export function createSqliteLedger(options: SqliteLedgerOptions): ReportLedger {
  const { run, close } = openShared({ ...options, migrations: MIGRATIONS })
  const act = async (work: (connection: Connection) => unknown): Promise<Done<void>> => {
    const done = await run(work)
    return done.ok ? { ok: true, value: undefined } : done
  }
  /** All of it or nothing, and only while nobody else has taken the lease. */
  const asHolder = (lease: Lease, work: (connection: Connection) => void): Promise<Done<boolean>> =>
    run((connection) =>
      connection.transaction(() => {
        if (!isHeld(connection, lease)) return false
        work(connection)
        return true
      }),
    )

  return {
    takeLease: (holder, now, until) => run((connection) => takeLease(connection, holder, now, until)),
    giveLeaseBack: (lease) => act((connection) => giveLeaseBack(connection, lease)),
    timetables: () => run(timetables),
    saveTimetables: (lease, all) => asHolder(lease, (connection) => saveTimetables(connection, all)),
    schedule: (lease, reports) => asHolder(lease, (connection) => schedule(connection, reports)),
    bringForward: (lease, now) =>
      run((connection) =>
        connection.transaction(() => (isHeld(connection, lease) ? bringForward(connection, now) : undefined)),
      ),
    due: (now, limit) => run((connection) => due(connection, now, limit)),
    change: (entry, changes, lease) =>
      run((connection) =>
        connection.transaction(() =>
          lease === undefined || isHeld(connection, lease) ? change(connection, entry, changes) : undefined,
        ),
      ),
    read: (key) => run((connection) => read(connection, key)),
    frozen: (key) => run((connection) => frozen(connection, key)),
    list: (query) => run((connection) => list(connection, query)),
    count: (state, most) => run((connection) => count(connection, state, most)),
    removeOld: async (before) => {
      for (;;) {
        const removed = await run((connection) => removeSomeOld(connection, before))
        if (!removed.ok) return removed
        if (removed.value === 0) return { ok: true, value: undefined }
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    suppressions: () => run(suppressions),
    suppress: (pattern, now) => act((connection) => suppress(connection, pattern, now)),
    unsuppress: (pattern) => run((connection) => unsuppress(connection, pattern)),
    requestSend: (request) => act((connection) => requestSend(connection, request)),
    isSendRequested: (domain) => run((connection) => isSendRequested(connection, domain)),
    takeSendRequests: () => run(takeSendRequests),
    end: close,
  }
}

/** Asked for every few seconds by every worker, so it writes only where it takes or renews. */
function takeLease(connection: Connection, holder: string, now: number, until: number): Lease | undefined {
  if (!isFree(connection, holder, now, until)) return undefined
  return connection.transaction(() => {
    if (!isFree(connection, holder, now, until)) return undefined
    const taken = connection
      .prepare(
        `UPDATE lease SET fence = fence + (holder <> ?1), holder = ?1, until = ?2 RETURNING fence`, // the old holder
      )
      .get(holder, until)
    return { holder, fence: Number(taken?.fence), until }
  })
}

function isFree({ prepare }: Connection, holder: string, now: number, until: number): boolean {
  const latest = now + 2 * (until - now)
  return (
    prepare('SELECT 1 FROM lease WHERE holder = ? OR until <= ? OR until > ?').get(holder, now, latest) !== undefined
  )
}

function isHeld({ prepare }: Connection, { holder, fence }: Lease): boolean {
  return prepare('SELECT 1 FROM lease WHERE holder = ? AND fence = ?').get(holder, fence) !== undefined
}

function giveLeaseBack({ prepare }: Connection, { holder, fence }: Lease): void {
  prepare('UPDATE lease SET until = 0 WHERE holder = ? AND fence = ?').run(holder, fence)
}

function timetables({ prepare }: Connection): readonly Timetable[] {
  return prepare('SELECT * FROM timetable ORDER BY name')
    .all()
    .map((row) => ({
      group: String(row.name),
      through: Number(row.through),
      length: String(row.length) as Timetable['length'], // only we write it
    }))
}

function saveTimetables({ prepare }: Connection, all: readonly Timetable[]): void {
  prepare('DELETE FROM timetable').run()
  const insert = prepare('INSERT INTO timetable VALUES (?, ?, ?)')
  for (const { group, through, length } of all) insert.run(group, through, length)
}

function suppressions({ prepare }: Connection): readonly Suppression[] {
  return prepare('SELECT * FROM suppression ORDER BY pattern')
    .all()
    .map(({ pattern, since }) => ({ pattern: String(pattern), since: Number(since) }))
}

function suppress({ prepare }: Connection, pattern: string, now: number): void {
  prepare('INSERT OR IGNORE INTO suppression VALUES (?, ?)').run(pattern, now)
}

function unsuppress({ prepare }: Connection, pattern: string): boolean {
  return Number(prepare('DELETE FROM suppression WHERE pattern = ?').run(pattern).changes) > 0
}

function requestSend({ prepare }: Connection, { domain, at }: SendRequest): void {
  prepare('INSERT OR REPLACE INTO request VALUES (?, ?)').run(domain, at)
}

function isSendRequested({ prepare }: Connection, domain: string): boolean {
  return prepare('SELECT 1 FROM request WHERE domain = ?').get(domain) !== undefined
}

/** Asked for every few seconds, so it writes only where there is something to take. */
function takeSendRequests({ prepare }: Connection): readonly SendRequest[] {
  if (!prepare('SELECT 1 FROM request LIMIT 1').get()) return []
  return prepare('DELETE FROM request RETURNING domain, at')
    .all()
    .map(({ domain, at }) => ({ domain: String(domain), at: Number(at) }))
}
