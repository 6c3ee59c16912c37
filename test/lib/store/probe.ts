/**
 * A module of the store that does what tests ask for. The thread loads this file.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { insertRows, isNewBatch, type Database, type Row, type Value } from '../../../dist/lib/store/index.js'

export const sql = {
  file: fileURLToPath(import.meta.url),
  name: 'probe',
  tables: [
    `CREATE TABLE probe (
       name TEXT PRIMARY KEY,
       count INTEGER NOT NULL,
       note TEXT,
       ratio REAL,
       bytes BLOB
     ) STRICT`,
    'CREATE INDEX probe_by_count ON probe (count)',
  ],
  methods: { add, addBatch, all, now, hold, exit, block, echo, failHalfway, swallow, nest, function: giveFunction },
}

function add(database: Database, name: string, count = 1): Promise<number> {
  return insertRows(
    database,
    'probe (name, count)',
    [[name, count]],
    'ON CONFLICT (name) DO UPDATE SET count = probe.count + excluded.count',
  )
}

/** Counts names, once for each batch. */
function addBatch(database: Database, writer: string, number: number, names: readonly string[]): Promise<boolean> {
  return database.transaction('probe', async (inner) => {
    if (!(await isNewBatch(inner, writer, number, await inner.now()))) return false
    const rows = names.toSorted().map((name) => [name, 1] as const)
    await insertRows(
      inner,
      'probe (name, count)',
      rows,
      'ON CONFLICT (name) DO UPDATE SET count = probe.count + excluded.count',
    )
    return true
  })
}

function all(
  database: Database,
  query = 'SELECT name, count FROM probe ORDER BY name',
  values: readonly Value[] = [],
): Promise<readonly Row[]> {
  return database.all(query, values)
}

function now(database: Database): Promise<number> {
  return database.now()
}

/** Writes, and holds the lock for a while. */
function hold(database: Database, name: string, time: number): Promise<number> {
  return database.transaction('probe', async (inner) => {
    const changed = await add(inner, name)
    await sleep(time)
    return changed
  })
}

/** Ends the thread, and not the process. */
function exit(): Promise<void> {
  process.exit(7)
}

/** Holds up the whole thread. */
function block(_database: Database, time: number): Promise<void> {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time)
  return Promise.resolve()
}

function echo<Given>(_database: Database, value: Given): Promise<Given> {
  return Promise.resolve(value)
}

function failHalfway(database: Database): Promise<void> {
  return database.transaction('probe', async (inner) => {
    await add(inner, 'half')
    throw new Error('changed my mind')
  })
}

/** A statement fails, and the work goes on as if it had not. */
function swallow(database: Database): Promise<void> {
  return database.transaction('probe', async (inner) => {
    await add(inner, 'swallowed')
    await inner.run('INSERT INTO probe (name) VALUES (NULL)').catch(() => undefined)
  })
}

function nest(database: Database): Promise<void> {
  return database.transaction('probe', (inner) => inner.transaction('probe', () => Promise.resolve()))
}

function giveFunction(): Promise<unknown> {
  return Promise.resolve(() => 1)
}
