/**
 * What the SQL of a module is written against, in the thread of the store.
 *
 * @module
 */

/** What a column holds. A sum of integers is a number, too: beyond 2^53 reading it fails on both engines. */
export type Value = string | number | null | Uint8Array

export type Row = Readonly<Record<string, Value>>

export interface Database {
  /** The rows of a query, or those that `RETURNING` gives. */
  all(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** @returns how many rows were changed */
  run(sql: string, values?: readonly Value[]): Promise<number>
  /**
   * All of it or nothing, and nothing else that takes the same lock meanwhile, in any process or on any host. `work` uses the database
   * that it is given, not the outer one, and may be begun again.
   *
   * @param lock - the module's name, as a rule
   */
  transaction<Result>(lock: string, work: (database: Database) => Promise<Result>): Promise<Result>
  /** The store's clock, in milliseconds since 1970: this host's for SQLite, the server's for PostgreSQL. */
  now(): Promise<number>
}

/** The tables and the SQL of a module. It is loaded by its file, in the thread. */
export interface StoreModule<Methods> {
  /** `__filename` of the file that exports this as `sql` */
  readonly file: string
  readonly name: string
  /** one statement each: see {@link ./index} for the types */
  readonly tables: readonly string[]
  readonly methods: Methods
}

/** What the thread needs of SQLite or PostgreSQL. */
export interface DatabaseEngine extends Database {
  /** where the store is, for log lines */
  readonly place: string
  /** Makes the tables of a module where they are missing. */
  prepare(module: StoreModule<unknown>): Promise<void>
  /** Decides what a failed call means, and mends what can be mended. */
  judge(error: unknown): Promise<'again' | 'unavailable' | 'failed'>
  close(): Promise<void>
}

/** The store cannot be used, whatever the call. */
export class StoreUnavailable extends Error {}

/** What stands at 0.1.0. */
const SCHEMA_VERSION = 1

const STORE_TABLES = [
  `CREATE TABLE IF NOT EXISTS store_module (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT`,
  `CREATE TABLE IF NOT EXISTS store_writer (
     writer TEXT PRIMARY KEY,
     number INTEGER NOT NULL,
     used_at INTEGER NOT NULL
   ) STRICT`,
]

export interface TableMaking {
  /** of PostgreSQL or SQLite */
  readonly hasTable: (name: string) => Promise<boolean>
  /** carries out a statement of {@link StoreModule.tables} */
  readonly define: (database: Database, sql: string) => Promise<unknown>
  readonly readOnly: boolean
}

/** Makes the tables of a module where they are missing, once for all processes. Those of a later version are left alone. */
export async function prepareTables(
  database: Database,
  { name, tables }: StoreModule<unknown>,
  { hasTable, define, readOnly }: TableMaking,
): Promise<void> {
  if ((await hasTable('store_module')) && (await isCurrent(database, name))) return
  if (readOnly) throw new StoreUnavailable(`there are no tables for ${name} yet`)
  await database.transaction('store', async (inner) => {
    for (const sql of STORE_TABLES) await define(inner, sql)
    if (await isCurrent(inner, name)) return
    for (const sql of tables) await define(inner, sql)
    await inner.run('INSERT INTO store_module (name, version) VALUES (?, ?)', [name, SCHEMA_VERSION])
  })
}

async function isCurrent(database: Database, name: string): Promise<boolean> {
  const [row] = await database.all('SELECT version FROM store_module WHERE name = ?', [name])
  if (row === undefined) return false
  if (row.version === SCHEMA_VERSION) return true
  throw new StoreUnavailable(
    `tables of version ${String(row.version)} for ${name}: this program knows ${SCHEMA_VERSION}`,
  )
}

/** A NUL is no character of a text in PostgreSQL, nor is half of a surrogate pair in UTF-8: one of them must not fail a whole batch. */
export function storable(value: Value): Value {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value
}
