/**
 * Policies in a SQLite file of their own, so that no limit or clean-up meant for counts ever touches them.
 *
 * @module
 */

import { parse } from 'node:path'
import { openShared, type Connection, type Done, type Log } from '../store'
import {
  expiryOf,
  type CachedPolicy,
  type DueQuery,
  type FailedFetch,
  type ListedPolicy,
  type PolicyCensus,
  type StsCache,
} from './cache'
import type { FetchFailure } from './failure'
import { readStsPolicy, type StsMode } from './policy'

const MIGRATIONS = [
  `CREATE TABLE policy (
     domain TEXT PRIMARY KEY,
     id TEXT NOT NULL,
     body TEXT NOT NULL,
     fetched INTEGER NOT NULL,
     expires INTEGER NOT NULL,
     used INTEGER NOT NULL,
     refresh INTEGER,
     failures INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX policy_by_refresh ON policy (refresh);
   CREATE TABLE failed_fetch (
     domain TEXT NOT NULL,
     id TEXT NOT NULL,
     at INTEGER NOT NULL,
     type TEXT NOT NULL,
     text TEXT NOT NULL,
     PRIMARY KEY (domain, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE claim (domain TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE request (domain TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `ALTER TABLE policy ADD COLUMN mode TEXT NOT NULL DEFAULT '';
   CREATE INDEX policy_by_mode ON policy (mode, expires, failures)`,
]

/** The file of the policies beside that of the counts: `outbound-tls.db` has `outbound-tls-sts.db`. */
export function cachePath(storePath: string): string {
  const { dir, name, ext } = parse(storePath)
  return `${dir}${dir === '' || dir.endsWith('/') ? '' : '/'}${name}-sts${ext}`
}

export interface SqliteCacheOptions {
  /** see {@link cachePath} */
  readonly path: string
  readonly log: Log
  /** false, for the command: only workers make the file, so that it is theirs */
  readonly create?: boolean
  /** true: nothing is written, whatever is asked for */
  readonly readOnly?: boolean
}

/** Opens the cache when it is first used. A damaged file is put aside. */
export function createSqliteCache(options: SqliteCacheOptions): StsCache {
  const { run, close } = openShared({ ...options, migrations: MIGRATIONS })
  const act = async (work: (connection: Connection) => unknown): Promise<Done<void>> => {
    const done = await run(work)
    return done.ok ? { ok: true, value: undefined } : done
  }

  return {
    read: (domain) => run((connection) => readPolicy(connection, domain)),
    save: (entry) => act((connection) => savePolicy(connection, entry)),
    generation: () => run(generation),
    claim: (domain, owner, now, until) => run((connection) => claim(connection, domain, owner, now, until)),
    renewClaim: (domain, owner, _now, until) => act((connection) => renewClaim(connection, domain, owner, until)),
    release: (domain, owner) => act((connection) => release(connection, domain, owner)),
    failedFetch: (domain, id) => run((connection) => failedFetch(connection, domain, id)),
    noteFailedFetch: (domain, failed) => act((connection) => noteFailedFetch(connection, domain, failed)),
    due: (query) => run((connection) => due(connection, query)),
    noteFailedRefresh: (domain, nextAt) => run((connection) => noteFailedRefresh(connection, domain, nextAt)),
    noteUses: (uses) => act((connection) => noteUses(connection, uses)),
    removeOld: (before) => act((connection) => removeOld(connection, before)),
    takeRequests: () => run(takeRequests),
    listPolicies: (domain) => run((connection) => listPolicies(connection, domain)),
    policiesBehind: (after, limit) => run((connection) => policiesBehind(connection, after, limit)),
    census: (now) => run((connection) => census(connection, now)),
    lastFailure: (domain) => run((connection) => lastFailure(connection, domain)),
    requestRefetch: (domain, now) => act((connection) => requestRefetch(connection, domain, now)),
    isRequested: (domain) => run((connection) => isRequested(connection, domain)),
    dropPolicy: (domain) => run((connection) => dropPolicy(connection, domain)),
    close,
  }
}

type Row = Record<string, unknown>

function readPolicy({ prepare }: Connection, domain: string): CachedPolicy | undefined {
  return asPolicy(prepare('SELECT * FROM policy WHERE domain = ?').get(domain))
}

/** The body has been read before, so it is a policy; if another version of this program thinks otherwise, there is none. */
function asPolicy(row: Row | undefined): CachedPolicy | undefined {
  if (!row) return undefined
  const read = readStsPolicy(String(row.body))
  if (!read.ok) return undefined
  return {
    domain: String(row.domain),
    id: String(row.id),
    policy: read.policy,
    fetchedAt: Number(row.fetched),
    usedAt: Number(row.used),
    refreshAt: row.refresh === null ? undefined : Number(row.refresh),
    failures: Number(row.failures),
  }
}

function savePolicy({ prepare, transaction }: Connection, entry: CachedPolicy): void {
  const { domain, id, policy, fetchedAt, usedAt, refreshAt, failures } = entry
  const save = prepare(
    `INSERT INTO policy VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain) DO UPDATE SET
       id = excluded.id, body = excluded.body, fetched = excluded.fetched, expires = excluded.expires,
       used = max(used, excluded.used), refresh = excluded.refresh, failures = excluded.failures,
       mode = excluded.mode`,
  )
  transaction(() => {
    save.run(
      domain,
      id,
      policy.text,
      fetchedAt,
      expiryOf(entry, fetchedAt),
      usedAt,
      refreshAt ?? null,
      failures,
      policy.mode,
    )
    prepare('DELETE FROM failed_fetch WHERE domain = ?').run(domain)
  })
}

function generation({ prepare, number }: Connection): string {
  return `${number}:${Number(prepare('PRAGMA data_version').get()?.data_version)}`
}

function claim({ prepare }: Connection, domain: string, owner: string, now: number, until: number): boolean {
  const latest = now + 2 * (until - now) // a claim beyond it was made before the clock was set back
  const { changes } = prepare(
    `INSERT INTO claim VALUES (?, ?, ?) ON CONFLICT (domain) DO UPDATE SET owner = excluded.owner, until = excluded.until
     WHERE claim.until <= ? OR claim.until > ?`,
  ).run(domain, owner, until, now, latest)
  return Number(changes) === 1
}

function renewClaim({ prepare }: Connection, domain: string, owner: string, until: number): void {
  prepare('UPDATE claim SET until = ? WHERE domain = ? AND owner = ?').run(until, domain, owner)
}

function release({ prepare }: Connection, domain: string, owner: string): void {
  prepare('DELETE FROM claim WHERE domain = ? AND owner = ?').run(domain, owner)
}

function failedFetch({ prepare }: Connection, domain: string, id: string): FailedFetch | undefined {
  return asFailure(prepare('SELECT * FROM failed_fetch WHERE domain = ? AND id = ?').get(domain, id))
}

function noteFailedFetch({ prepare }: Connection, domain: string, { id, at, failure }: FailedFetch): void {
  prepare('INSERT OR REPLACE INTO failed_fetch VALUES (?, ?, ?, ?, ?)').run(domain, id, at, failure.type, failure.text)
}

function due({ prepare }: Connection, { now, usedSince, horizon, limit }: DueQuery): readonly string[] {
  return prepare(
    `SELECT domain FROM policy WHERE (refresh <= ? OR refresh > ?) AND used >= ? AND expires > ? ORDER BY refresh LIMIT ?`,
  )
    .all(now, horizon, usedSince, now, limit)
    .map((row) => String(row.domain))
}

function noteFailedRefresh({ prepare }: Connection, domain: string, nextAt: number): number {
  const row = prepare('UPDATE policy SET failures = failures + 1, refresh = ? WHERE domain = ? RETURNING failures').get(
    nextAt,
    domain,
  )
  return Number(row?.failures ?? 0)
}

function noteUses({ prepare, transaction }: Connection, uses: ReadonlyMap<string, number>): void {
  transaction(() => {
    for (const [domain, at] of uses) prepare('UPDATE policy SET used = ? WHERE domain = ?').run(at, domain)
  })
}

function removeOld({ prepare, transaction }: Connection, before: number): void {
  transaction(() => {
    prepare('DELETE FROM policy WHERE expires < ?').run(before)
    prepare('DELETE FROM failed_fetch WHERE at < ?').run(before)
    prepare('DELETE FROM claim WHERE until < ?').run(before)
    prepare('DELETE FROM request WHERE at < ?').run(before)
  })
}

/** Asked for every few seconds by every worker, so it writes only where there is something to take. */
function takeRequests({ prepare }: Connection): readonly string[] {
  if (!prepare('SELECT 1 FROM request LIMIT 1').get()) return []
  return prepare('DELETE FROM request RETURNING domain')
    .all()
    .map((row) => String(row.domain))
}

function listPolicies(connection: Connection, domain: string | undefined): readonly ListedPolicy[] {
  const rows =
    domain === undefined
      ? connection.prepare('SELECT * FROM policy ORDER BY domain').all()
      : connection.prepare('SELECT * FROM policy WHERE domain = ?').all(domain)
  return listed(connection, rows)
}

function policiesBehind(connection: Connection, after: string, limit: number): readonly ListedPolicy[] {
  const behind = connection.prepare('SELECT * FROM policy WHERE domain > ? ORDER BY domain LIMIT ?')
  return listed(connection, behind.all(after, limit))
}

/** Of the index alone. What an earlier version of this program has saved is not in it before it is refreshed. */
function census({ prepare }: Connection, now: number): PolicyCensus {
  const rows = prepare(
    'SELECT mode, count(*) AS policies, sum(failures > 0) AS failing FROM policy WHERE expires > ? GROUP BY mode',
  ).all(now)
  const of = (mode: StsMode) => Number(rows.find((row) => row.mode === mode)?.policies ?? 0)
  return {
    modes: { enforce: of('enforce'), testing: of('testing'), none: of('none') },
    failing: rows.reduce((sum, { failing }) => sum + Number(failing), 0),
  }
}

function listed(connection: Connection, rows: readonly Row[]): readonly ListedPolicy[] {
  return rows
    .map(asPolicy)
    .filter((entry) => entry !== undefined)
    .map((entry) => ({
      ...entry,
      expiresAt: expiryOf(entry, entry.fetchedAt),
      lastFailure: lastFailure(connection, entry.domain),
    }))
}

function lastFailure({ prepare }: Connection, domain: string): FailedFetch | undefined {
  return asFailure(prepare('SELECT * FROM failed_fetch WHERE domain = ? ORDER BY at DESC LIMIT 1').get(domain))
}

function asFailure(row: Row | undefined): FailedFetch | undefined {
  if (!row) return undefined
  const type = String(row.type) as FetchFailure['type'] // only we write it
  return { id: String(row.id), at: Number(row.at), failure: { type, text: String(row.text) } }
}

function requestRefetch({ prepare }: Connection, domain: string, now: number): void {
  prepare('INSERT OR REPLACE INTO request VALUES (?, ?)').run(domain, now)
}

function isRequested({ prepare }: Connection, domain: string): boolean {
  return prepare('SELECT 1 FROM request WHERE domain = ?').get(domain) !== undefined
}

function dropPolicy({ prepare, transaction }: Connection, domain: string): boolean {
  return transaction(() => {
    prepare('DELETE FROM failed_fetch WHERE domain = ?').run(domain)
    return Number(prepare('DELETE FROM policy WHERE domain = ?').run(domain).changes) > 0
  })
}
