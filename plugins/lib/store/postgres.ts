/**
 * The store on a PostgreSQL server, for the processes of several hosts. All of it runs in the thread of the store.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { prepareTables, StoreUnavailable, type Database, type DatabaseEngine } from './database'
import { postgresServers, type PostgresOptions } from './postgres-options'
import { createPool, STATEMENT_LIMIT, type PooledConnection } from './postgres-pool'

/**
 * How long a writer waits for another, and how long one that says nothing may keep others waiting: milliseconds. A process that is
 * stopped in mid-transaction loses its connection, and the others go on.
 */
const LOCK_LIMIT = 5000
const IDLE_LIMIT = 5000

const UNDEFINED_TABLE = '42P01'
/** Another attempt succeeds as a rule: serialization failure, deadlock. */
const OF_THE_MOMENT = ['40001', '40P01']
/** Classes of errors that are a call's own fault: unsupported, cardinality, data, integrity, syntax, too large. */
const OF_CALL = ['0A', '21', '22', '23', '42', '54']
/** Of a server that has become a standby; the primary may be another one of those that are named. */
const READ_ONLY = '25006'

/** Connects when it is first needed. */
export function createPostgres({ url, readOnly = false }: PostgresOptions): DatabaseEngine {
  const pool = createPool(() => postgresServers(url, process.env))
  const prepared = new Set<string>()
  const use = <Result>(work: (connection: PooledConnection) => Promise<Result>): Promise<Result> =>
    pool.use(async (connection) => {
      try {
        return await work(connection)
      } catch (error) {
        if (codeOf(error) === READ_ONLY) connection.drop()
        throw error
      }
    })

  const engine: DatabaseEngine = {
    place: 'PostgreSQL',
    all: (sql, values) => use((connection) => databaseOn(connection).all(sql, values)),
    run: (sql, values) => use((connection) => databaseOn(connection).run(sql, values)),
    transaction: (lock, work) => use((connection) => transact(connection, lock, work)),
    now: () => use((connection) => databaseOn(connection).now()),
    prepare: async (module) => {
      if (prepared.has(module.name)) return
      await prepareTables(engine, module, {
        hasTable: async (name) => (await engine.all('SELECT 1 WHERE to_regclass(?) IS NOT NULL', [name])).length > 0,
        define: (database, sql) => database.run(translated(sql)),
        readOnly,
      })
      prepared.add(module.name)
    },
    judge: (error) => {
      const code = codeOf(error)
      if (code === UNDEFINED_TABLE) prepared.clear() // as after a restart with an empty disk
      return Promise.resolve(judgementOf(error, code))
    },
    close: () => Promise.resolve(pool.close()),
  }
  return engine
}

function judgementOf(error: unknown, code: string | undefined): 'again' | 'unavailable' | 'failed' {
  if (code === undefined) return error instanceof StoreUnavailable ? 'unavailable' : 'failed'
  if (code === UNDEFINED_TABLE || OF_THE_MOMENT.includes(code)) return 'again'
  return OF_CALL.includes(code.slice(0, 2)) ? 'failed' : 'unavailable'
}

/** The SQLSTATE of an error that the server has sent. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined
  return String(error.code)
}

function databaseOn({ all }: PooledConnection): Database {
  return {
    all: async (sql, values) => (await all(sql, values)).rows,
    run: async (sql, values) => (await all(sql, values)).rowCount ?? 0,
    transaction: () => Promise.reject(new TypeError('a transaction within a transaction')),
    now: async () => {
      const { rows } = await all('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS now')
      return Number(rows[0]?.now)
    },
  }
}

async function transact<Result>(
  connection: PooledConnection,
  lock: string,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  try {
    // one round trip; and limits of the transaction, not of the session, which a pooler may give to another client
    await connection.exec(
      `BEGIN; SET LOCAL statement_timeout = ${STATEMENT_LIMIT}; SET LOCAL lock_timeout = ${LOCK_LIMIT};
       SET LOCAL idle_in_transaction_session_timeout = ${IDLE_LIMIT}; SELECT pg_advisory_xact_lock(${keyOf(lock)})`,
    )
    const result = await work(databaseOn(connection))
    // of a transaction in which a statement has failed, COMMIT makes a ROLLBACK
    if ((await connection.exec('COMMIT')).command !== 'COMMIT') throw new Error('a statement has failed before')
    return result
  } catch (error) {
    await connection.exec('ROLLBACK').catch(connection.drop)
    throw error
  }
}

/** Advisory locks are numbers, of the whole database. */
function keyOf(lock: string): bigint {
  return createHash('sha256').update(`outbound-tls ${lock}`).digest().readBigInt64BE()
}

const TYPES: Readonly<Record<string, string>> = {
  INTEGER: 'BIGINT',
  REAL: 'DOUBLE PRECISION',
  TEXT: 'TEXT COLLATE "C"',
  BLOB: 'BYTEA',
}

/** What makes a table in SQLite, for PostgreSQL. */
export function translated(sql: string): string {
  return sql
    .replace(/\)\s*(?:STRICT|WITHOUT ROWID)(?:\s*,\s*(?:STRICT|WITHOUT ROWID))*\s*$/, ')')
    .replace(/\b(?:INTEGER|REAL|TEXT|BLOB)\b/g, (type) => TYPES[type] ?? type)
}
