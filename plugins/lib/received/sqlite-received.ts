/**
 * Received reports in a SQLite file of their own, for the workers of one machine. What strangers send must not be able to fill, or
 * damage, the file of anything else.
 *
 * @module
 */

import { parse } from 'node:path'
import { openShared, type Connection, type Log } from '../store'
import type { KeptReport, ReceivedEntry } from './kept'
import { MOST_APART, MOST_OF_ONE, type EntryQuery, type ReceivedStore } from './store'
import { readEntry, readWritten, writeEntry, writeReport } from './written'

const MIGRATIONS = [
  `CREATE TABLE report (
     id TEXT PRIMARY KEY,
     counted INTEGER NOT NULL,
     signer TEXT NOT NULL,
     received INTEGER NOT NULL,
     entry TEXT NOT NULL,
     body BLOB NOT NULL,
     copies INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE INDEX report_by_time ON report (counted, received DESC, id);
   CREATE INDEX report_by_signer ON report (counted, signer, received)`,
]

const REMOVED_AT_ONCE = 200

export interface SqliteReceivedOptions {
  /** see {@link receivedPath} */
  readonly path: string
  readonly log: Log
  /** false, for the command: only workers make the file, so that it is theirs */
  readonly create?: boolean
  /** true: nothing is written, not even missing tables */
  readonly readOnly?: boolean
}

/** The file of received reports beside that of the counts: `outbound-tls.db` has `outbound-tls-received.db`. */
export function receivedPath(storePath: string): string {
  const { dir, name, ext } = parse(storePath)
  return `${dir}${dir === '' || dir.endsWith('/') ? '' : '/'}${name}-received${ext}`
}

/** Opens the store when it is first used. A damaged file is put aside. */
export function createSqliteReceived(options: SqliteReceivedOptions): ReceivedStore {
  const { run, close } = openShared({ ...options, migrations: MIGRATIONS })
  return {
    add: async (report) => {
      const body = await writeReport(report)
      return run((connection) => connection.transaction(() => add(connection, report.entry, body)))
    },
    entries: (query) => run((connection) => entries(connection, query)),
    read: async (id) => {
      const found = await run(({ prepare }) => prepare('SELECT entry, body FROM report WHERE id = ?').get(id))
      return found.ok ? { ok: true, value: await reportIn(found.value) } : found
    },
    removeOld: async (before) => {
      for (;;) {
        const removed = await run((connection) => removeSomeOld(connection, before))
        if (!removed.ok) return removed
        if (removed.value === 0) return { ok: true, value: undefined }
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    end: close,
  }
}

function add({ prepare }: Connection, entry: ReceivedEntry, body: Uint8Array): 'new' | 'known' {
  const { id, isCounted, signedBy = '', receivedAt } = entry
  const counted = Number(isCounted)
  const { copies } = prepare(
    `INSERT INTO report (id, counted, signer, received, entry, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET copies = copies + 1 RETURNING copies`,
  ).get(id, counted, signedBy, receivedAt, writeEntry(entry), body) as { copies: number }
  if (copies > 0) return 'known'
  if (isCounted) trim(prepare, 'counted = 1 AND signer = ?', [signedBy], MOST_OF_ONE)
  else trim(prepare, 'counted = 0', [], MOST_APART)
  return 'new'
}

/** Removes the oldest beyond `most`. */
function trim(prepare: Connection['prepare'], which: string, values: readonly string[], most: number): void {
  prepare(
    `DELETE FROM report WHERE rowid IN (SELECT rowid FROM report WHERE ${which} ORDER BY received DESC LIMIT -1 OFFSET ${most})`,
  ).run(...values)
}

function entries({ prepare }: Connection, { since, isCounted, after, limit }: EntryQuery): readonly ReceivedEntry[] {
  const { receivedAt, id } = after ?? { receivedAt: Number.MAX_SAFE_INTEGER, id: '' }
  return prepare(
    `SELECT entry FROM report WHERE counted = ?1 AND received >= ?2 AND (received < ?3 OR (received = ?3 AND id > ?4))
     ORDER BY received DESC, id LIMIT ?5`,
  )
    .all(Number(isCounted), since, receivedAt, id, limit)
    .map((row) => readEntry(String(row.entry)))
}

async function reportIn(row: Record<string, unknown> | undefined): Promise<KeptReport | undefined> {
  if (!(row?.body instanceof Uint8Array)) return undefined
  return readWritten(readEntry(String(row.entry)), row.body).catch(() => undefined)
}

function removeSomeOld({ prepare }: Connection, before: number): number {
  const removed = prepare(
    `DELETE FROM report WHERE rowid IN (SELECT rowid FROM report WHERE counted IN (0, 1) AND received < ? LIMIT ${REMOVED_AT_ONCE})`,
  ).run(before)
  return Number(removed.changes)
}
