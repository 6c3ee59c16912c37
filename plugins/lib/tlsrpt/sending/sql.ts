/**
 * The SQL of TLS reports, which runs in the thread of the store. All that is written is written under one lock.
 *
 * @module
 */

import { insertRows, type Database } from '../../store'
import { afterStatus, reopened, type DeliveryStatus } from './attempt'
import type {
  EntryChange,
  FollowedRequest,
  Lease,
  NewReport,
  ReportEntry,
  ReportKey,
  SendRequest,
  StatusChange,
  Suppression,
  Timetable,
} from './entry'
import {
  changeEntry,
  countEntries,
  dueEntries,
  insertEntries,
  listEntries,
  readEntry,
  readFrozen,
  removeSome,
  settleDueTimes,
} from './sql-entries'
import { forgetRefusals, noteRefusal, refusing, removeOldRefusals } from './sql-refusals'
import { REPORT_TABLES } from './tables'

/** Of one domain, the latest first: those that a request is about. */
const MOST_REQUESTED = 1000

export const sql = {
  file: __filename,
  name: 'reports',
  tables: REPORT_TABLES,
  methods: {
    now,
    takeLease,
    giveLeaseBack,
    timetables,
    saveTimetables,
    schedule,
    bringForward,
    due: dueEntries,
    change,
    recordStatus,
    read: readEntry,
    frozen: readFrozen,
    list: listEntries,
    count: countEntries,
    removeOld,
    refusing,
    suppressions,
    suppress,
    unsuppress,
    requestSend,
    isSendRequested,
    followRequest,
  },
}

/** The store's clock: milliseconds since 1970. */
function now(database: Database): Promise<number> {
  return database.now()
}

/** What only the holder of the lease may do. @returns undefined: the lease is lost, nothing was written */
function asHolder<Result>(
  database: Database,
  lease: Lease,
  work: (inner: Database) => Promise<Result>,
): Promise<Result | undefined> {
  return database.transaction('reports', async (inner) => ((await isHeld(inner, lease)) ? work(inner) : undefined))
}

async function isHeld(database: Database, { holder, fence }: Lease): Promise<boolean> {
  const rows = await database.all('SELECT id FROM report_lease WHERE holder = ? AND fence = ?', [holder, fence])
  return rows.length > 0
}

/**
 * Takes the lease where it is free, or renews it where `holder` has it. One that lasts longer than twice what is asked for was taken
 * before the clock was set back, and is free. Every worker asks every few seconds, so it writes only where it takes or renews.
 *
 * @param lasting - milliseconds, by the store's clock
 * @param at - instead of the store's clock, for tests
 * @returns undefined: another one has it
 */
async function takeLease(database: Database, holder: string, lasting: number, at?: number): Promise<Lease | undefined> {
  if ((await nextLease(database, holder, lasting, at)) === undefined) return undefined
  return database.transaction('reports', async (inner) => {
    const lease = await nextLease(inner, holder, lasting, at)
    if (lease === undefined) return undefined
    await inner.run(
      `INSERT INTO report_lease (id, holder, fence, expires_at) VALUES (1, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, expires_at = excluded.expires_at`,
      [lease.holder, lease.fence, lease.until],
    )
    return lease
  })
}

async function nextLease(database: Database, holder: string, lasting: number, at?: number): Promise<Lease | undefined> {
  const time = at ?? (await database.now())
  const [last] = await database.all('SELECT holder, fence, expires_at FROM report_lease')
  const isOurs = last?.holder === holder
  const expiresAt = Number(last?.expires_at ?? 0)
  if (!isOurs && expiresAt > time && expiresAt <= time + 2 * lasting) return undefined
  return { holder, fence: Number(last?.fence ?? 0) + (isOurs ? 0 : 1), until: time + lasting }
}

async function giveLeaseBack(database: Database, { holder, fence }: Lease): Promise<void> {
  await database.run('UPDATE report_lease SET expires_at = 0 WHERE holder = ? AND fence = ?', [holder, fence])
}

async function timetables(database: Database): Promise<readonly Timetable[]> {
  const rows = await database.all(
    'SELECT section, scheduled_through, period_length FROM report_timetable ORDER BY section',
  )
  return rows.map((row) => ({
    group: String(row.section),
    through: Number(row.scheduled_through),
    length: row.period_length as Timetable['length'],
  }))
}

/** Replaces all of them. @returns false: the lease is lost, nothing was written */
async function saveTimetables(database: Database, lease: Lease, all: readonly Timetable[]): Promise<boolean> {
  const saved = await asHolder(database, lease, async (inner) => {
    await inner.run('DELETE FROM report_timetable')
    await insertRows(
      inner,
      'report_timetable (section, scheduled_through, period_length)',
      all.map(({ group, through, length }) => [group, through, length]),
    )
    return true
  })
  return saved ?? false
}

/** Adds reports that are not there yet (by domain and start); those that are keep their id and time. @returns false: the lease is lost */
async function schedule(database: Database, lease: Lease, reports: readonly NewReport[]): Promise<boolean> {
  const scheduled = await asHolder(database, lease, async (inner) => {
    await insertEntries(inner, reports)
    return true
  })
  return scheduled ?? false
}

/**
 * Gives reports that are `scheduled` a proper time where theirs is more than a day behind the last that their period allows: it was
 * settled while the clock was wrong.
 *
 * @returns how many there were; undefined: the lease is lost
 */
function bringForward(database: Database, lease: Lease, time: number): Promise<number | undefined> {
  return asHolder(database, lease, (inner) => settleDueTimes(inner, time))
}

/**
 * Changes an entry, if it is still as it was read (compare-and-set): a look-up or an attempt lies between. Of the reports of one domain
 * that are `not-wanted` only the latest is kept: most domains want none, and there would be one more for each of them with each period.
 *
 * @returns the entry as it is now; undefined: it has changed meanwhile, or the lease is lost
 */
function change(
  database: Database,
  entry: ReportEntry,
  changes: EntryChange,
  lease: Lease,
): Promise<ReportEntry | undefined> {
  return asHolder(database, lease, (inner) => changeEntry(inner, entry, changes))
}

/**
 * Records the result of an attempt, from any worker, with or without the lease: it is a fact.
 *
 * @returns undefined: it changes nothing
 */
function recordStatus(
  database: Database,
  key: ReportKey,
  rua: string,
  status: DeliveryStatus,
): Promise<StatusChange | undefined> {
  return database.transaction('reports', async (inner) => {
    const before = await readEntry(inner, key)
    const changes = before && afterStatus(before, rua, status)
    const after = changes && (await changeEntry(inner, before, changes))
    if (after) await noteRefusal(inner, rua, key.start, status)
    return after && { before, after }
  })
}

/**
 * Removes what is over (`dueAt` is Infinity) and whose period ended by `before`, and the oldest beyond the bound of all.
 *
 * @param most - another bound, for tests
 */
async function removeOld(database: Database, before: number, most?: number): Promise<void> {
  while ((await database.transaction('reports', (inner) => removeSome(inner, before, most))) > 0);
  await database.transaction('reports', (inner) => removeOldRefusals(inner, before))
}

async function suppressions(database: Database): Promise<readonly Suppression[]> {
  const rows = await database.all('SELECT pattern, since FROM report_suppression ORDER BY pattern')
  return rows.map(({ pattern, since }) => ({ pattern: String(pattern), since: Number(since) }))
}

/** As many as the administrator makes, as are requests. */
async function suppress(database: Database, pattern: string, since: number): Promise<void> {
  await database.run('INSERT INTO report_suppression (pattern, since) VALUES (?, ?) ON CONFLICT (pattern) DO NOTHING', [
    pattern,
    since,
  ])
}

/** @returns whether there was one */
async function unsuppress(database: Database, pattern: string): Promise<boolean> {
  return (await database.run('DELETE FROM report_suppression WHERE pattern = ?', [pattern])) > 0
}

async function requestSend(database: Database, { domain, at }: SendRequest): Promise<void> {
  await database.run(
    `INSERT INTO report_request (domain, requested_at) VALUES (?, ?)
     ON CONFLICT (domain) DO UPDATE SET requested_at = excluded.requested_at`,
    [domain, at],
  )
}

/** Whether a request for this domain has not been followed yet. */
async function isSendRequested(database: Database, domain: string): Promise<boolean> {
  return (await database.all('SELECT domain FROM report_request WHERE domain = ?', [domain])).length > 0
}

/**
 * Follows one request: the reports on its domain are due now. Asked for every few seconds, so it writes only where there is one.
 *
 * @returns undefined: there is none, or the lease is lost
 */
async function followRequest(database: Database, lease: Lease, time: number): Promise<FollowedRequest | undefined> {
  const [request] = await database.all('SELECT domain FROM report_request ORDER BY requested_at, domain LIMIT 1')
  if (request === undefined) return undefined
  const domain = String(request.domain)
  return asHolder(database, lease, async (inner) => {
    if ((await inner.run('DELETE FROM report_request WHERE domain = ?', [domain])) === 0) return undefined
    const known = await listEntries(inner, { domain, limit: MOST_REQUESTED })
    let due = 0
    for (const entry of known) {
      for (const { rua } of entry.destinations) await forgetRefusals(inner, rua) // somebody has mended it, or wants to know
      const changes = reopened(entry, time)
      if (changes && (await changeEntry(inner, entry, changes))) due++
    }
    return { domain, known: known.length, due }
  })
}
