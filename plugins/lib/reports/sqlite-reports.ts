/**
 * The reports of a SQLite ledger: one row for each, and the frozen texts beside them, so that rows stay small.
 *
 * @module
 */

import type { Connection } from '../store'
import { readDestinations, writeDestinations } from './destination-text'
import type { EntryChange, NewReport, ReportEntry, ReportKey, ReportQuery, ReportState } from './ledger'

export const REPORT_TABLES = `
   CREATE TABLE report (
     domain TEXT NOT NULL,
     start INTEGER NOT NULL,
     end INTEGER NOT NULL,
     id TEXT NOT NULL,
     state TEXT NOT NULL,
     due INTEGER,
     tried INTEGER,
     destinations TEXT NOT NULL,
     note TEXT,
     successful INTEGER,
     failed INTEGER,
     size INTEGER NOT NULL,
     version INTEGER NOT NULL,
     PRIMARY KEY (domain, start)
   ) STRICT;
   CREATE INDEX report_by_due ON report (due) WHERE due IS NOT NULL;
   CREATE INDEX report_by_start ON report (start DESC, domain);
   CREATE INDEX report_by_state ON report (state, start DESC, domain);
   CREATE TABLE frozen (domain TEXT NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (domain, start)) STRICT;`

type Row = Record<string, unknown>

const DAY = 86_400_000
/** How long after the end of its period a report is due whose time is settled anew: milliseconds. Its hours are closed by then. */
const AFTER_CLOSING = 10 * 60_000

export function schedule({ prepare }: Connection, reports: readonly NewReport[]): void {
  const insert = prepare(
    `INSERT OR IGNORE INTO report VALUES (?, ?, ?, ?, 'scheduled', ?, NULL, '[]', NULL, NULL, NULL, 0, 0)`,
  )
  for (const { domain, start, end, reportId, dueAt } of reports) insert.run(domain, start, end, reportId, dueAt)
}

/** The latest time that a report may have is a third of its period behind its end, see `newReport` in schedule.ts. */
export function bringForward({ prepare }: Connection, now: number): number {
  const { changes } = prepare(
    `UPDATE report SET due = max(end + ?2, ?1), version = version + 1
     WHERE due > ?1 + ?3 AND state = 'scheduled' AND due > max(end + ?2, ?1) + (end - start) / 3 + ?3`,
  ).run(now, AFTER_CLOSING, DAY)
  return Number(changes)
}

export function due({ prepare }: Connection, now: number, limit: number): readonly ReportEntry[] {
  return prepare('SELECT * FROM report WHERE due <= ? ORDER BY due LIMIT ?').all(now, limit).map(asEntry)
}

/** To be called within a transaction. */
export function change(connection: Connection, entry: ReportEntry, changes: EntryChange): ReportEntry | undefined {
  const { frozen, ...fields } = changes
  const { domain, start, state, dueAt, firstTriedAt, destinations, note, sessions, size } = {
    ...entry,
    ...fields,
    size: frozen?.length ?? entry.size,
  }
  const row = connection
    .prepare(
      `UPDATE report SET state = ?, due = ?, tried = ?, destinations = ?, note = ?, successful = ?, failed = ?, size = ?,
         version = version + 1
       WHERE domain = ? AND start = ? AND version = ? RETURNING *`,
    )
    .get(
      state,
      dueAt === Infinity ? null : dueAt,
      firstTriedAt ?? null,
      writeDestinations(destinations),
      note ?? null,
      sessions?.successful ?? null,
      sessions?.failed ?? null,
      size,
      domain,
      start,
      entry.version,
    )
  if (row === undefined) return undefined
  if (frozen !== undefined) keepFrozen(connection, entry, frozen)
  if (state === 'not-wanted') removeOthersNotWanted(connection, domain)
  return asEntry(row)
}

function keepFrozen({ prepare }: Connection, { domain, start }: ReportKey, body: Uint8Array | null): void {
  if (body === null) prepare('DELETE FROM frozen WHERE domain = ? AND start = ?').run(domain, start)
  else prepare('INSERT OR REPLACE INTO frozen VALUES (?, ?, ?)').run(domain, start, body)
}

function removeOthersNotWanted({ prepare }: Connection, domain: string): void {
  prepare(
    `DELETE FROM report WHERE domain = ?1 AND state = 'not-wanted'
       AND start < (SELECT max(start) FROM report WHERE domain = ?1 AND state = 'not-wanted')`,
  ).run(domain)
}

export function read({ prepare }: Connection, { domain, start }: ReportKey): ReportEntry | undefined {
  const row = prepare('SELECT * FROM report WHERE domain = ? AND start = ?').get(domain, start)
  return row && asEntry(row)
}

export function frozen({ prepare }: Connection, { domain, start }: ReportKey): Uint8Array | undefined {
  const row = prepare('SELECT body FROM frozen WHERE domain = ? AND start = ?').get(domain, start)
  return row?.body instanceof Uint8Array ? row.body : undefined
}

export function list(connection: Connection, query: ReportQuery): readonly ReportEntry[] {
  const { states, limit } = query
  if (states === undefined) return listOf(connection, query, undefined)
  // each by its index: of some states there are millions
  const found = [...new Set(states)].flatMap((state) => listOf(connection, query, state))
  const inOrder = found.sort((a, b) => b.start - a.start || (a.domain < b.domain ? -1 : 1))
  return inOrder.slice(0, limit)
}

function listOf(
  { prepare }: Connection,
  { domain, after, limit }: ReportQuery,
  state: ReportState | undefined,
): readonly ReportEntry[] {
  const conditions: readonly (readonly [string, readonly (string | number)[]])[] = [
    ...(state === undefined ? [] : [['state = ?', [state]] as const]),
    ...(domain === undefined ? [] : [['domain = ?', [domain]] as const]),
    ...(after === undefined
      ? []
      : [['start <= ? AND (start < ? OR domain > ?)', [after.start, after.start, after.domain]] as const]),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`
  return prepare(`SELECT * FROM report ${where} ORDER BY start DESC, domain LIMIT ?`)
    .all(...conditions.flatMap(([, values]) => values), limit)
    .map(asEntry)
}

export function count({ prepare }: Connection, state: ReportState, most: number): number {
  const row = prepare('SELECT count(*) AS count FROM (SELECT 1 FROM report WHERE state = ? LIMIT ?)').get(state, most)
  return Number(row?.count)
}

const REMOVED_AT_ONCE = 500

/** @returns how many were removed; 0: there are no more */
export function removeSomeOld({ prepare, transaction }: Connection, before: number): number {
  return transaction(() => {
    const removed = prepare(
      `DELETE FROM report WHERE rowid IN
         (SELECT rowid FROM report WHERE start < ?1 AND end <= ?1 AND due IS NULL ORDER BY start LIMIT ?2)
       RETURNING domain, start`,
    ).all(before, REMOVED_AT_ONCE)
    const drop = prepare('DELETE FROM frozen WHERE domain = ? AND start = ?')
    for (const { domain, start } of removed) drop.run(String(domain), Number(start))
    return removed.length
  })
}

/** Only we write these columns. */
function asEntry(row: Row): ReportEntry {
  const number = (value: unknown): number | undefined => (value === null ? undefined : Number(value))
  const successful = number(row.successful)
  return {
    domain: String(row.domain),
    start: Number(row.start),
    end: Number(row.end),
    reportId: String(row.id),
    state: row.state as ReportState,
    dueAt: number(row.due) ?? Infinity,
    firstTriedAt: number(row.tried),
    destinations: readDestinations(String(row.destinations)),
    note: typeof row.note === 'string' ? row.note : undefined,
    sessions: successful === undefined ? undefined : { successful, failed: Number(row.failed) },
    size: Number(row.size),
    version: Number(row.version),
  }
}
