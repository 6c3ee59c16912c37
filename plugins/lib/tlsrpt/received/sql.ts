/**
 * The SQL of received reports, which runs in the thread of the store.
 *
 * @module
 */

import { insertRows, marks, type Database, type Row, type Value } from '../../store'
import type { Totals } from '../parsing'
import { readDocument, writeDocument } from './document'
import type { FailureWay, KeptReport, ReceivedEntry } from './kept'
import { RECEIVED_TABLES } from './tables'

/** Reports that do not count: those beyond are removed, the oldest first, whichever sender they are from. */
const MOST_APART = 500
/** Reports that count, of one signer: no one can push out what others have sent. */
const MOST_OF_ONE = 50_000
/** Reports that count, of all signers. */
const MOST_COUNTED = 500_000
/** Removed in one transaction, so that it is short. */
const REMOVED_AT_ONCE = 1000
/** Reports whose domains and failures are read with one statement. */
const READ_AT_ONCE = 500

export interface EntryQuery {
  /** those received at this time or later, in milliseconds since 1970 */
  readonly since: number
  readonly isCounted: boolean
  /** those behind this one, which was the last of the page before */
  readonly after?: Pick<ReceivedEntry, 'receivedAt' | 'id'>
  readonly limit: number
}

export const sql = {
  file: __filename,
  name: 'received',
  tables: RECEIVED_TABLES,
  methods: { add, entries, read, removeOld },
}

/**
 * Keeps a report.
 *
 * @returns `known`: it was there already, which has been noted
 */
async function add(database: Database, report: KeptReport): Promise<'new' | 'known'> {
  const { entry } = report
  const document = writeDocument(report)
  return database.transaction('received', async (inner) => {
    if ((await inner.run('UPDATE received_report SET copies = copies + 1 WHERE id = ?', [entry.id])) > 0) return 'known'
    await insert(inner, entry, document)
    if (!entry.isCounted) await trim(inner, 'counted = 0', [], MOST_APART)
    else {
      if (entry.signedBy !== undefined)
        await trim(inner, 'counted = 1 AND signed_by = ?', [entry.signedBy], MOST_OF_ONE)
      await trim(inner, 'counted = 1', [], MOST_COUNTED)
    }
    return 'new'
  })
}

async function insert(database: Database, entry: ReceivedEntry, document: string): Promise<void> {
  const { id, receivedAt, source, signedBy, isCounted, organization, contact, reportId, start, end } = entry
  const about = [id, receivedAt, source, signedBy ?? null, Number(isCounted), organization, contact ?? null, reportId]
  await database.run(
    `INSERT INTO received_report (id, received_at, source, signed_by, counted, organization, contact, report_id, range_start,
       range_end, successes, failures, fetch_failures, other_failures, copies, document) VALUES (${marks(16)})`,
    [...about, start, end, ...totalsOf(entry), entry.otherWays, 0, document],
  )
  await insertRows(
    database,
    'received_domain (report, domain, successes, failures, fetch_failures)',
    entry.sums.map((sum) => [id, sum.domain, ...totalsOf(sum)]),
  )
  await insertRows(
    database,
    'received_failure (report, position, domain, policy_type, host, result, reason, count)',
    entry.ways.map(({ domain, type, host, result, reason, count }, index) => {
      return [id, index, domain, type, host ?? null, result, reason ?? null, count]
    }),
  )
}

function totalsOf({ successes, failures, fetchFailures }: Totals): readonly number[] {
  return [successes, failures, fetchFailures]
}

function totalsIn(row: Row): Totals {
  return {
    successes: Number(row.successes),
    failures: Number(row.failures),
    fetchFailures: Number(row.fetch_failures),
  }
}

/** Removes the oldest beyond `most`. */
async function trim(database: Database, which: string, values: readonly Value[], most: number): Promise<void> {
  await database.run(
    `DELETE FROM received_report WHERE id IN
       (SELECT id FROM received_report WHERE ${which} ORDER BY received_at DESC LIMIT ${REMOVED_AT_ONCE} OFFSET ${most})`,
    values,
  )
}

/** The latest first. */
async function entries(database: Database, query: EntryQuery): Promise<readonly ReceivedEntry[]> {
  const { since, isCounted, after, limit } = query
  const { receivedAt, id } = after ?? { receivedAt: Number.MAX_SAFE_INTEGER, id: '' }
  const rows = await database.all(
    `SELECT ${ENTRY} FROM received_report
     WHERE counted = ? AND received_at >= ? AND (received_at < ? OR (received_at = ? AND id > ?))
     ORDER BY received_at DESC, id LIMIT ?`,
    [Number(isCounted), since, receivedAt, receivedAt, id, limit],
  )
  const found: ReceivedEntry[] = []
  for (let from = 0; from < rows.length; from += READ_AT_ONCE)
    found.push(...(await entriesIn(database, rows.slice(from, from + READ_AT_ONCE))))
  return found
}

/** @param id - of the entry; a report that is there but cannot be read counts as none */
async function read(database: Database, id: string): Promise<KeptReport | undefined> {
  const rows = await database.all(`SELECT ${ENTRY}, document FROM received_report WHERE id = ?`, [id])
  const [entry] = await entriesIn(database, rows)
  return entry && readDocument(entry, String(rows[0]?.document))
}

/** Removes what was received longer ago than `retention`, in milliseconds, by the store's clock. */
async function removeOld(database: Database, retention: number): Promise<void> {
  const before = (await database.now()) - retention
  const remove = (inner: Database): Promise<number> =>
    inner.run(
      `DELETE FROM received_report WHERE id IN
         (SELECT id FROM received_report WHERE counted IN (0, 1) AND received_at < ? LIMIT ${REMOVED_AT_ONCE})`,
      [before],
    )
  while ((await database.transaction('received', remove)) > 0);
}

const ENTRY = `id, received_at, source, signed_by, counted, organization, contact, report_id, range_start, range_end, successes, failures,
  fetch_failures, other_failures`

async function entriesIn(database: Database, rows: readonly Row[]): Promise<readonly ReceivedEntry[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id ?? null)
  const of = `report IN (${marks(ids.length)})`
  const domains = await database.all(
    `SELECT report, domain, successes, failures, fetch_failures FROM received_domain WHERE ${of} ORDER BY report, domain`,
    ids,
  )
  const failures = await database.all(
    `SELECT report, domain, policy_type, host, result, reason, count FROM received_failure WHERE ${of} ORDER BY report, position`,
    ids,
  )
  const [sumsOf, waysOf] = [Map.groupBy(domains, reportOf), Map.groupBy(failures, reportOf)]
  return rows.map((row) => entryOf(row, sumsOf.get(row.id) ?? [], waysOf.get(row.id) ?? []))
}

const reportOf = ({ report }: Row): Value | undefined => report

function entryOf(row: Row, domains: readonly Row[], failures: readonly Row[]): ReceivedEntry {
  const sums = domains.map((sum) => ({
    domain: String(sum.domain),
    ...totalsIn(sum),
  }))
  return {
    id: String(row.id),
    receivedAt: Number(row.received_at),
    source: row.source as ReceivedEntry['source'],
    signedBy: text(row.signed_by),
    isCounted: row.counted === 1,
    organization: String(row.organization),
    contact: text(row.contact),
    reportId: String(row.report_id),
    start: Number(row.range_start),
    end: Number(row.range_end),
    domains: sums.map(({ domain }) => domain),
    ...totalsIn(row),
    sums,
    ways: failures.map(wayOf),
    otherWays: Number(row.other_failures),
  }
}

function wayOf(row: Row): FailureWay {
  const [host, reason] = [text(row.host), text(row.reason)]
  return {
    domain: String(row.domain),
    type: row.policy_type as FailureWay['type'],
    ...(host !== undefined && { host }),
    result: String(row.result),
    ...(reason !== undefined && { reason }),
    count: Number(row.count),
  }
}

function text(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
