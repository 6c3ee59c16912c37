/**
 * The SQL of the reports themselves: read, changed, and removed.
 *
 * @module
 */

import { insertRows, type Database, type Row, type Value } from '../../store'
import { DAY } from '../../time'
import type { Destination, EntryChange, NewReport, ReportEntry, ReportKey, ReportQuery, ReportState } from './entry'

/** Reports of all domains: those beyond are removed, the oldest period first. At half a kilobyte each, 2.5 GB. */
const MOST_REPORTS = 5_000_000
/** Removed in one transaction, so that it is short. */
const REMOVED_AT_ONCE = 1000

/** How long after the end of its period a report is due whose time is settled anew: milliseconds. Its hours are closed by then. */
const AFTER_CLOSING = 10 * 60_000

/** Adds reports that are not there yet. */
export async function insertEntries(database: Database, reports: readonly NewReport[]): Promise<void> {
  await insertRows(
    database,
    'report_entry (domain, period_start, period_end, report_id, state, due_at, size, version)',
    reports.map(({ domain, start, end, reportId, dueAt }) => [domain, start, end, reportId, 'scheduled', dueAt, 0, 0]),
    'ON CONFLICT (domain, period_start) DO NOTHING',
  )
}

/** The latest time that a report may have is a third of its period behind its end, see `newReport` in schedule.ts. */
export function settleDueTimes(database: Database, now: number): Promise<number> {
  const proper = `CASE WHEN period_end + ${AFTER_CLOSING} > ? THEN period_end + ${AFTER_CLOSING} ELSE ? END`
  return database.run(
    `UPDATE report_entry SET due_at = ${proper}, version = version + 1
     WHERE due_at > ? AND state = 'scheduled' AND due_at > ${proper} + (period_end - period_start) / 3 + ${DAY}`,
    [now, now, now + DAY, now, now],
  )
}

export function dueEntries(database: Database, now: number, limit: number): Promise<readonly ReportEntry[]> {
  return entriesWhere(database, 'e.due_at <= ?', [now], 'e.due_at, e.domain, e.period_start', limit)
}

export async function readEntry(database: Database, { domain, start }: ReportKey): Promise<ReportEntry | undefined> {
  const [entry] = await entriesWhere(database, 'e.domain = ? AND e.period_start = ?', [domain, start], 'e.domain', 1)
  return entry
}

export async function readFrozen(database: Database, { domain, start }: ReportKey): Promise<Uint8Array | undefined> {
  const [row] = await database.all('SELECT body FROM report_frozen WHERE domain = ? AND period_start = ?', [
    domain,
    start,
  ])
  return row?.body instanceof Uint8Array ? row.body : undefined
}

export async function listEntries(database: Database, query: ReportQuery): Promise<readonly ReportEntry[]> {
  const { states, limit } = query
  if (states === undefined) return listState(database, query, undefined)
  const found: ReportEntry[] = []
  // each by its index: of some states there are millions
  for (const state of new Set(states)) found.push(...(await listState(database, query, state)))
  return found.sort((a, b) => b.start - a.start || (a.domain < b.domain ? -1 : 1)).slice(0, limit)
}

function listState(
  database: Database,
  { domain, after, limit }: ReportQuery,
  state: ReportState | undefined,
): Promise<readonly ReportEntry[]> {
  const conditions: readonly (readonly [string, readonly Value[]])[] = [
    ...(state === undefined ? [] : [['e.state = ?', [state]] as const]),
    ...(domain === undefined ? [] : [['e.domain = ?', [domain]] as const]),
    ...(after === undefined
      ? []
      : [
          [
            'e.period_start <= ? AND (e.period_start < ? OR e.domain > ?)',
            [after.start, after.start, after.domain],
          ] as const,
        ]),
  ]
  const where = conditions.map(([sql]) => sql).join(' AND ') || '1 = 1'
  const values = conditions.flatMap(([, some]) => some)
  return entriesWhere(database, where, values, 'e.period_start DESC, e.domain', limit)
}

export async function countEntries(database: Database, state: ReportState, most: number): Promise<number> {
  const [row] = await database.all(
    'SELECT count(*) AS reports FROM (SELECT domain FROM report_entry WHERE state = ? LIMIT ?) AS counted',
    [state, most],
  )
  return Number(row?.reports)
}

/** Of the reports of one domain that are `not-wanted` only the latest is kept. */
export async function changeEntry(
  database: Database,
  entry: ReportEntry,
  { frozen, ...fields }: EntryChange,
): Promise<ReportEntry | undefined> {
  const changed = { ...entry, ...fields, size: frozen?.length ?? entry.size, version: entry.version + 1 }
  const { domain, start, state, dueAt, firstTriedAt, note, sessions, size, version } = changed
  const count = await database.run(
    `UPDATE report_entry SET state = ?, due_at = ?, first_tried_at = ?, note = ?, successes = ?, failures = ?, size = ?,
       version = ?
     WHERE domain = ? AND period_start = ? AND version = ?`,
    [
      ...[state, finite(dueAt), firstTriedAt ?? null, note ?? null],
      ...[sessions?.successful ?? null, sessions?.failed ?? null, size],
      ...[version, domain, start, entry.version],
    ],
  )
  if (count === 0) return undefined
  if (fields.destinations !== undefined) await writeDestinations(database, entry, fields.destinations)
  if (frozen !== undefined) await writeFrozen(database, entry, frozen)
  if (state === 'not-wanted') await removeOthersNotWanted(database, domain)
  return changed
}

async function writeDestinations(
  database: Database,
  { domain, start }: ReportKey,
  destinations: readonly Destination[],
): Promise<void> {
  await database.run('DELETE FROM report_destination WHERE domain = ? AND period_start = ?', [domain, start])
  await insertRows(
    database,
    'report_destination (domain, period_start, position, rua, state, attempts, next_at, note)',
    destinations.map(({ rua, state, attempts, nextAt, note }, position) => {
      return [domain, start, position, rua, state, attempts, finite(nextAt), note ?? null]
    }),
  )
}

async function writeFrozen(database: Database, { domain, start }: ReportKey, body: Uint8Array | null): Promise<void> {
  await database.run('DELETE FROM report_frozen WHERE domain = ? AND period_start = ?', [domain, start])
  if (body === null) return
  await database.run('INSERT INTO report_frozen (domain, period_start, body) VALUES (?, ?, ?)', [domain, start, body])
}

async function removeOthersNotWanted(database: Database, domain: string): Promise<void> {
  await database.run(
    `DELETE FROM report_entry WHERE domain = ? AND state = 'not-wanted' AND period_start <
       (SELECT max(period_start) FROM report_entry WHERE domain = ? AND state = 'not-wanted')`,
    [domain, domain],
  )
}

/** @returns how many were removed; 0: there are no more */
export async function removeSome(database: Database, before: number, most = MOST_REPORTS): Promise<number> {
  const remove = (which: string, values: readonly Value[]): Promise<number> =>
    database.run(
      `DELETE FROM report_entry WHERE (domain, period_start) IN (SELECT domain, period_start FROM report_entry ${which})`,
      values,
    )
  const old = await remove(
    `WHERE period_start < ? AND period_end <= ? AND due_at IS NULL ORDER BY period_start LIMIT ${REMOVED_AT_ONCE}`,
    [before, before],
  )
  if (old > 0) return old
  return remove(`ORDER BY period_start DESC, domain LIMIT ${REMOVED_AT_ONCE} OFFSET ?`, [most])
}

/** Reports with their destinations, in one statement: of one moment. */
async function entriesWhere(
  database: Database,
  where: string,
  values: readonly Value[],
  order: string,
  limit: number,
): Promise<readonly ReportEntry[]> {
  const rows = await database.all(
    `SELECT e.domain, e.period_start, e.period_end, e.report_id, e.state, e.due_at, e.first_tried_at, e.note, e.successes,
       e.failures, e.size, e.version, d.rua, d.state AS rua_state, d.attempts, d.next_at, d.note AS rua_note
     FROM (SELECT * FROM report_entry e WHERE ${where} ORDER BY ${order} LIMIT ?) e
     LEFT JOIN report_destination d ON d.domain = e.domain AND d.period_start = e.period_start
     ORDER BY ${order}, d.position`,
    [...values, limit],
  )
  return [...Map.groupBy(rows, (row) => `${String(row.period_start)} ${String(row.domain)}`).values()].flatMap(entryOf)
}

function entryOf(rows: readonly Row[]): readonly ReportEntry[] {
  const [row] = rows
  if (row === undefined) return []
  const successful = number(row.successes)
  const entry: ReportEntry = {
    domain: String(row.domain),
    start: Number(row.period_start),
    end: Number(row.period_end),
    reportId: String(row.report_id),
    state: row.state as ReportState,
    dueAt: number(row.due_at) ?? Infinity,
    firstTriedAt: number(row.first_tried_at),
    destinations: rows.filter(({ rua }) => rua !== null).map(destinationOf),
    note: text(row.note),
    sessions: successful === undefined ? undefined : { successful, failed: Number(row.failures) },
    size: Number(row.size),
    version: Number(row.version),
  }
  return [entry]
}

function destinationOf(row: Row): Destination {
  return {
    rua: String(row.rua),
    state: row.rua_state as Destination['state'],
    attempts: Number(row.attempts),
    nextAt: number(row.next_at) ?? Infinity,
    note: text(row.rua_note),
  }
}

function finite(time: number): number | null {
  return time === Infinity ? null : time
}

function number(value: Value | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function text(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
