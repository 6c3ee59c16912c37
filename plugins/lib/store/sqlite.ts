/**
 * The store in a SQLite file, for the processes of one machine. All of it runs in the thread of the store.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../error-text'
import {
  prepareTables,
  StoreUnavailable,
  storable,
  type Database,
  type DatabaseEngine,
  type Row,
  type Value,
} from './database'
import { problemOf, resultCode } from './problem'
import type { Log } from './done'
import { inodeOf, openFile, putAside, type OpenFile, type SqliteOptions } from './sqlite-file'

/** How long work is tried again while other processes write: milliseconds. Reads go on meanwhile. */
const BUSY_TIMEOUT = 5000
/** Statements that are kept prepared: some hundred are written in the code, others are as long as their list of values. */
const MOST_STATEMENTS = 500
/** What SQLite says of a statement, or of its values: ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const OF_CALL = [1, 18, 19, 20, 25]

interface Current extends OpenFile {
  readonly direct: Database
}

/** Opens nothing before it is needed. */
export function createSqlite(options: SqliteOptions, log: Log): DatabaseEngine {
  const { path, create = true, readOnly = false } = options
  const inTurn = createTurns()
  const prepared = new Set<string>()
  let current: Current | undefined
  let inode: bigint | undefined

  const drop = (): void => {
    prepared.clear()
    current?.database.close()
    current = undefined
  }

  const use = async (): Promise<Current> => {
    if (current !== undefined && inodeOf(path) === current.inode) return current
    drop()
    const opened = await openFile(options)
    if (opened.setAside !== undefined) tellSetAside(opened.setAside)
    else if (inode !== undefined && inode !== opened.inode)
      log('warn', `${path} is another file than before, which has been moved, removed or replaced: this one is used`)
    inode = opened.inode
    current = { ...opened, direct: directly(opened.database) }
    return current
  }

  const tellSetAside = (aside: string): void =>
    log('crit', `${path} is damaged: it has been put aside as ${aside}, and a new one has been begun`)

  /** For damage that shows only when a page is read. */
  const replaceDamaged = (): void => {
    const damaged = current?.inode
    drop()
    const aside = putAside(path, damaged)
    if (aside === undefined) return
    inode = undefined
    tellSetAside(aside)
  }

  /** The connection is one: what happens between the statements of a transaction would be part of it. */
  const work = async <Result>(task: (current: Current) => Promise<Result>): Promise<Result> => {
    const begun = performance.now()
    for (;;) {
      try {
        return await inTurn(async () => task(await use()))
      } catch (error) {
        if (problemOf(error) !== 'busy' || performance.now() - begun > BUSY_TIMEOUT) throw error
      }
      await sleep(5 + Math.random() * 40)
    }
  }

  const engine: DatabaseEngine = {
    place: path,
    all: (sql, values) => work(({ direct }) => direct.all(sql, values)),
    run: (sql, values) => work(({ direct }) => direct.run(sql, values)),
    transaction: (_lock, task) => work(({ database, direct }) => transact(database, () => task(direct))),
    now: () => Promise.resolve(Date.now()),
    prepare: async (module) => {
      if (prepared.has(module.name)) return // where the file has been replaced since, a table is missing, see judge
      await prepareTables(engine, module, {
        hasTable: async (name) => (await engine.all('SELECT 1 FROM sqlite_schema WHERE name = ?', [name])).length > 0,
        define: (database, sql) => database.run(sql),
        readOnly,
      })
      prepared.add(module.name)
    },
    judge: (error) =>
      inTurn(() => {
        if (problemOf(error) === 'corrupt' && create) {
          replaceDamaged()
          return Promise.resolve('again')
        }
        if (errorText(error).startsWith('no such table')) {
          prepared.clear() // the file was replaced after its tables were looked at
          return Promise.resolve('again')
        }
        return Promise.resolve(isOfCall(error) ? 'failed' : 'unavailable')
      }),
    close: () =>
      inTurn(() => {
        drop()
        return Promise.resolve()
      }),
  }
  return engine
}

/** Whether it is the call's own fault, and another may well succeed. */
function isOfCall(error: unknown): boolean {
  const code = resultCode(error)
  return code === undefined ? !(error instanceof StoreUnavailable) : OF_CALL.includes(code)
}

function directly(database: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql)
    if (statements.size >= MOST_STATEMENTS) statements.clear()
    statements.set(sql, known)
    return known
  }
  const valuesOf = (values: readonly Value[]): Value[] => values.map(storable)
  return {
    all: (sql, values = []) => attempt(() => prepare(sql).all(...valuesOf(values)) as Row[]),
    run: (sql, values = []) => attempt(() => Number(prepare(sql).run(...valuesOf(values)).changes)),
    transaction: () => Promise.reject(new TypeError('a transaction within a transaction')),
    now: () => Promise.resolve(Date.now()),
  }
}

function attempt<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve) => resolve(work()))
}

async function transact<Result>(database: DatabaseSync, work: () => Promise<Result>): Promise<Result> {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = await work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** One after the other. */
function createTurns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}
