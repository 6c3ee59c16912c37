/**
 * The SQL of the policy cache, which runs in the thread of the store.
 *
 * @module
 */

import { marks, pieces, type Database, type Row, type Value } from '../store'
import {
  expiryOf,
  type CachedPolicy,
  type DueQuery,
  type FailedFetch,
  type ListedPolicy,
  type PolicyCensus,
} from './cached-policy'
import type { FetchFailure } from './failure'
import { readStsPolicy, type StsMode } from './policy'
import { STS_TABLES } from './tables'

/** Policies: those beyond are removed, the least recently used first. Some 100 MB at their usual size; senders choose the domains. */
const MOST_POLICIES = 200_000
/** Failed fetches of all domains, and of one: the domain chooses the ids. The latest are kept. */
const MOST_FAILURES = 100_000
const MOST_FAILURES_OF_ONE = 10
/** Removed in one transaction, so that it is short. */
const REMOVED_AT_ONCE = 1000

/** A domain's policy and failed fetches are read and written by each of its deliveries that has to fetch, the rest in the background. */
export const sql = {
  file: __filename,
  name: 'sts',
  tables: STS_TABLES,
  methods: {
    ...{ read, save, generation, claim, renewClaim, release, failedFetch, lastFailure, noteFailedFetch },
    ...{ due, noteFailedRefresh, noteUses, removeOld, takeRequests },
    ...{ listPolicies, policiesBehind, census, requestRefetch, isRequested, dropPolicy },
  },
}

/** What is cached for a domain, valid or not. */
async function read(database: Database, domain: string): Promise<CachedPolicy | undefined> {
  const [row] = await database.all('SELECT * FROM sts_policy WHERE domain = ?', [domain])
  return row && policyOf(row)
}

/** Replaces what there was, and forgets failed fetches of the domain. */
async function save(database: Database, entry: CachedPolicy): Promise<void> {
  const { domain, id, policy, fetchedAt, usedAt, refreshAt, failures } = entry
  const times = [fetchedAt, expiryOf(entry, fetchedAt), usedAt, refreshAt ?? null]
  await database.transaction('sts', async (inner) => {
    await inner.run(
      `INSERT INTO sts_policy (domain, id, mode, body, fetched_at, expires_at, used_at, refresh_at, failures)
       VALUES (${marks(9)}) ON CONFLICT (domain) DO UPDATE SET
         id = excluded.id, mode = excluded.mode, body = excluded.body, fetched_at = excluded.fetched_at,
         expires_at = excluded.expires_at, refresh_at = excluded.refresh_at, failures = excluded.failures,
         used_at = CASE WHEN sts_policy.used_at > excluded.used_at THEN sts_policy.used_at ELSE excluded.used_at END`,
      [domain, id, policy.mode, policy.text, ...times, failures],
    )
    await inner.run('DELETE FROM sts_failed_fetch WHERE domain = ?', [domain])
    await noteChange(inner)
  })
}

/** Differs from the last answer when anyone has saved or dropped a policy. Cheap. */
async function generation(database: Database): Promise<string> {
  const [row] = await database.all('SELECT number FROM sts_change')
  return String(row?.number ?? '')
}

/** The number begins with the time, so that a database which is begun anew has none that the one before had. */
async function noteChange(database: Database): Promise<void> {
  await database.run(
    `INSERT INTO sts_change (id, number) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET number = sts_change.number + 1`,
    [await database.now()],
  )
}

/**
 * Reserves a domain for a fetch of ours.
 *
 * @param duration - milliseconds
 * @returns false: another process has reserved it
 */
async function claim(database: Database, domain: string, owner: string, duration: number): Promise<boolean> {
  const now = await database.now()
  const latest = now + 2 * duration // a claim beyond it was made before the clock was set back
  const changed = await database.run(
    `INSERT INTO sts_claim (domain, owner, claimed_until) VALUES (?, ?, ?)
     ON CONFLICT (domain) DO UPDATE SET owner = excluded.owner, claimed_until = excluded.claimed_until
     WHERE sts_claim.claimed_until <= ? OR sts_claim.claimed_until > ?`,
    [domain, owner, now + duration, now, latest],
  )
  return changed > 0
}

/** Makes a claim that is still held last for `duration` from now. */
async function renewClaim(database: Database, domain: string, owner: string, duration: number): Promise<void> {
  const until = (await database.now()) + duration
  await database.run('UPDATE sts_claim SET claimed_until = ? WHERE domain = ? AND owner = ?', [until, domain, owner])
}

async function release(database: Database, domain: string, owner: string): Promise<void> {
  await database.run('DELETE FROM sts_claim WHERE domain = ? AND owner = ?', [domain, owner])
}

async function failedFetch(database: Database, domain: string, id: string): Promise<FailedFetch | undefined> {
  const [row] = await database.all('SELECT * FROM sts_failed_fetch WHERE domain = ? AND id = ?', [domain, id])
  return row && failureOf(row)
}

/** The latest failed fetch of a domain, also where it has no policy. */
async function lastFailure(database: Database, domain: string): Promise<FailedFetch | undefined> {
  return (await lastFailures(database, [domain])).get(domain)
}

async function noteFailedFetch(database: Database, domain: string, { id, at, failure }: FailedFetch): Promise<void> {
  await database.transaction('sts', async (inner) => {
    await inner.run(
      `INSERT INTO sts_failed_fetch (domain, id, failed_at, result, reason) VALUES (${marks(5)})
       ON CONFLICT (domain, id) DO UPDATE SET
         failed_at = excluded.failed_at, result = excluded.result, reason = excluded.reason`,
      [domain, id, at, failure.type, failure.text],
    )
    await inner.run(
      `DELETE FROM sts_failed_fetch WHERE domain = ? AND id <> ? AND id NOT IN
         (SELECT id FROM sts_failed_fetch WHERE domain = ? AND id <> ?
          ORDER BY failed_at DESC LIMIT ${MOST_FAILURES_OF_ONE - 1})`,
      [domain, id, domain, id],
    )
  })
}

/** The domains whose policies are to be fetched again. */
async function due(database: Database, { now, usedSince, horizon, limit }: DueQuery): Promise<readonly string[]> {
  const rows = await database.all(
    `SELECT domain FROM sts_policy WHERE (refresh_at <= ? OR refresh_at > ?) AND used_at >= ? AND expires_at > ?
     ORDER BY refresh_at LIMIT ?`,
    [now, horizon, usedSince, now, limit],
  )
  return rows.map(domainOf)
}

/** @returns how many in a row have failed now */
async function noteFailedRefresh(database: Database, domain: string, nextAt: number): Promise<number> {
  const [row] = await database.all(
    'UPDATE sts_policy SET failures = failures + 1, refresh_at = ? WHERE domain = ? RETURNING failures',
    [nextAt, domain],
  )
  return Number(row?.failures ?? 0)
}

/** Policies that were applied to a delivery, about at this time. */
async function noteUses(database: Database, domains: readonly string[], at: number): Promise<void> {
  for (const some of pieces(domains))
    await database.transaction('sts', (inner) =>
      inner.run(`UPDATE sts_policy SET used_at = ? WHERE domain IN (${marks(some.length)})`, [at, ...some]),
    )
}

/**
 * Removes policies that expired longer ago than `age`, and what else is older; and what is beyond the bounds.
 *
 * @param age - milliseconds
 */
async function removeOld(database: Database, age: number): Promise<void> {
  const before = (await database.now()) - age
  const policies = (which: string, values?: readonly Value[]) => remove(database, 'sts_policy', 'domain', which, values)
  await policies(`WHERE mode IN ('enforce', 'testing', 'none') AND expires_at < ? LIMIT ${REMOVED_AT_ONCE}`, [before])
  await policies(`ORDER BY used_at DESC LIMIT ${REMOVED_AT_ONCE} OFFSET ${MOST_POLICIES}`)

  const failures = (which: string, values?: readonly Value[]) =>
    remove(database, 'sts_failed_fetch', 'domain, id', which, values)
  await failures(`WHERE failed_at < ? LIMIT ${REMOVED_AT_ONCE}`, [before])
  await failures(`ORDER BY failed_at DESC LIMIT ${REMOVED_AT_ONCE} OFFSET ${MOST_FAILURES}`)

  // few: fetches under way, and what an administrator asks for
  await database.run('DELETE FROM sts_claim WHERE claimed_until < ?', [before])
  await database.run('DELETE FROM sts_request WHERE requested_at < ?', [before])
}

async function remove(
  database: Database,
  table: string,
  key: string,
  which: string,
  values: readonly Value[] = [],
): Promise<void> {
  const text = `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} ${which})`
  while ((await database.transaction('sts', (inner) => inner.run(text, values))) > 0);
}

/**
 * Domains to be fetched again because someone asked for it; each is handed to one process only. Asked for every few seconds by every
 * worker, so it writes only where there is something to take.
 */
async function takeRequests(database: Database): Promise<readonly string[]> {
  const waiting = await database.all('SELECT 1 FROM sts_request LIMIT 1')
  return waiting.length === 0 ? [] : (await database.all('DELETE FROM sts_request RETURNING domain')).map(domainOf)
}

/** One domain, or all. */
async function listPolicies(database: Database, domain?: string): Promise<readonly ListedPolicy[]> {
  const rows =
    domain === undefined
      ? await database.all('SELECT * FROM sts_policy ORDER BY domain')
      : await database.all('SELECT * FROM sts_policy WHERE domain = ?', [domain])
  return listed(database, rows)
}

/** Some of all, by their domains, `limit` of them behind `after`. */
async function policiesBehind(database: Database, after: string, limit: number): Promise<readonly ListedPolicy[]> {
  const rows = await database.all('SELECT * FROM sts_policy WHERE domain > ? ORDER BY domain LIMIT ?', [after, limit])
  return listed(database, rows)
}

/** Those that are in force now. Cheap, however many they are: of the index alone. */
async function census(database: Database, now: number): Promise<PolicyCensus> {
  const rows = await database.all(
    `SELECT mode, count(*) AS policies, sum(CASE WHEN failures > 0 THEN 1 ELSE 0 END) AS failing
     FROM sts_policy WHERE expires_at > ? GROUP BY mode`,
    [now],
  )
  const of = (mode: StsMode) => Number(rows.find((row) => row.mode === mode)?.policies ?? 0)
  return {
    modes: { enforce: of('enforce'), testing: of('testing'), none: of('none') },
    failing: rows.reduce((sum, { failing }) => sum + Number(failing), 0),
  }
}

/** Asks the running workers to fetch a policy. */
async function requestRefetch(database: Database, domain: string): Promise<void> {
  await database.run(
    `INSERT INTO sts_request (domain, requested_at) VALUES (?, ?)
     ON CONFLICT (domain) DO UPDATE SET requested_at = excluded.requested_at`,
    [domain, await database.now()],
  )
}

/** Whether no process has taken the request yet. */
async function isRequested(database: Database, domain: string): Promise<boolean> {
  return (await database.all('SELECT 1 FROM sts_request WHERE domain = ?', [domain])).length > 0
}

/** @returns whether there was one */
async function dropPolicy(database: Database, domain: string): Promise<boolean> {
  return database.transaction('sts', async (inner) => {
    await inner.run('DELETE FROM sts_failed_fetch WHERE domain = ?', [domain])
    const dropped = await inner.run('DELETE FROM sts_policy WHERE domain = ?', [domain])
    await noteChange(inner)
    return dropped > 0
  })
}

/** The body has been read before, so it is a policy; if another version of this program thinks otherwise, there is none. */
function policyOf(row: Row): CachedPolicy | undefined {
  const read = readStsPolicy(String(row.body))
  if (!read.ok) return undefined
  return {
    domain: domainOf(row),
    id: String(row.id),
    policy: read.policy,
    fetchedAt: Number(row.fetched_at),
    usedAt: Number(row.used_at),
    refreshAt: row.refresh_at === null ? undefined : Number(row.refresh_at),
    failures: Number(row.failures),
  }
}

async function listed(database: Database, rows: readonly Row[]): Promise<readonly ListedPolicy[]> {
  const policies = rows.map(policyOf).filter((entry) => entry !== undefined)
  const failures = await lastFailures(
    database,
    policies.map(({ domain }) => domain),
  )
  return policies.map((entry) => ({
    ...entry,
    expiresAt: expiryOf(entry, entry.fetchedAt),
    lastFailure: failures.get(entry.domain),
  }))
}

async function lastFailures(database: Database, domains: readonly string[]): Promise<ReadonlyMap<string, FailedFetch>> {
  const latest = new Map<string, FailedFetch>()
  for (const some of pieces(domains)) {
    const of = `domain IN (${marks(some.length)})`
    const rows = await database.all(`SELECT * FROM sts_failed_fetch WHERE ${of} ORDER BY failed_at, id`, some)
    for (const row of rows) latest.set(domainOf(row), failureOf(row))
  }
  return latest
}

function failureOf(row: Row): FailedFetch {
  const type = row.result as FetchFailure['type'] // only we write it
  return { id: String(row.id), at: Number(row.failed_at), failure: { type, text: String(row.reason) } }
}

function domainOf({ domain }: Row): string {
  return String(domain)
}
