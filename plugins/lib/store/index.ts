/**
 * The store: one SQL for SQLite (one machine) and PostgreSQL (several hosts).
 *
 * The SQL of all modules runs in one worker thread of each process, so that a delivery only posts a message, and never waits for a disk
 * or a server. A call of the store never rejects: it gives `Done<T>`, within a time limit.
 *
 * ## A module
 *
 * `tables.ts` says which tables it has, `sql.ts` what is done with them. Each method takes the database first and may reject:
 *
 * ```ts
 * export const sql = { file: __filename, name: 'received', tables: RECEIVED_TABLES, methods: { add, entries } }
 *
 * async function add(database: Database, report: KeptReport): Promise<'new' | 'known'> {
 *   return database.transaction('received', async (inner) => …)
 * }
 * ```
 *
 * `sql.ts` is loaded by both threads: it has no state on the delivery thread, and exports `sql` under this name. Other threads call:
 *
 * ```ts
 * const store = createStore({ engine: 'sqlite', path }, log) // one for each process and database
 * const received = store.module(sql) // the same methods without the database: (report: KeptReport) => Promise<Done<'new' | 'known'>>
 * store.moduleNow(sql).add(report) // Done<'new' | 'known'>, at the end of the process, a second at most for all such calls
 * store.end()
 * ```
 *
 * Arguments and results are cloned (structured clone: Map, Set, Uint8Array, Infinity and undefined stay what they are; no functions).
 * A call may be carried out although its answer says that it failed: what must count once has a number, see {@link isNewBatch}.
 *
 * ## The database
 *
 * `all(sql, values)` gives rows, `run(sql, values)` how many were changed, `transaction(lock, work)` all or nothing: one writer of a lock
 * at a time, over all processes and hosts. Within `work` only the database that it is given is used: the outer one would wait for ever.
 * `now()` is the store's clock, for leases, closing and expiry. Several statements that are not in a transaction see what others write
 * between them.
 *
 * ## The SQL that both engines know
 *
 * - Tables: `INTEGER` (64 bits), `REAL`, `TEXT`, `BLOB`, each table with `STRICT` (and `WITHOUT ROWID`, if that helps); the engine
 *   translates. Text is ordered by its bytes. `CREATE INDEX` as it is. One statement each. No identity columns: an id is chosen, or
 *   `(SELECT coalesce(max(id), 0) + 1 FROM …)` under the lock. Table names begin with the name of the module.
 * - Parameters: `?`, in their order; string, number, Uint8Array, null (never undefined). Booleans are 0 and 1, also in results.
 *   A parameter gets its type from the column that it is compared with or stored in; where there is none, `CAST(? AS BIGINT)`; `n / ?` divides as REAL in SQLite.
 *   At most 32,766: {@link insertRows} takes care of it.
 * - A NUL in text becomes U+FFFD, on both engines. Integers beyond 2^53 cannot be read: bound what is added up.
 * - Upserts: `ON CONFLICT (key) DO UPDATE SET n = table.n + excluded.n`; the same key only once in a statement, rows sorted by it.
 * - Not: `LIMIT -1`, `max(a, b)` (write `CASE`), `LIKE` (its case differs), `upper` of anything but ASCII, `GROUP BY` with columns that are
 *   not in it, `INSERT OR …`, `rowid`, `NULL` in an order, aliases with capitals (PostgreSQL folds them: `AS received_at`), `json_…`.
 * - `sum` of integers, `count` and `/` of two integers give integers on both. A failed statement ends a transaction.
 *
 * @module
 */

export { createBatcher } from './batch'
export type { Batcher, Counted, NumberedBatch } from './batch'
export { createStore } from './client'
export type { Calls, CallsNow, Store } from './client'
export type { Database, Row, StoreModule, Value } from './database'
export type { StoreOptions } from './messages'
export { postgresProblem } from './postgres-options'
export { insertRows, isNewBatch, marks, pieces } from './helpers'
export type { Done, Log } from './done'
export { createClockGuard, createLeapWatch } from './clock-guard'
export { createTally } from './tally'
