/**
 * Pieces of SQL that several modules need.
 *
 * @module
 */

import { DAY } from '../time'
import type { Database, Value } from './database'

/** How long a batch is known again for. A writer that fails for longer has lost its batch by then. */
const WRITER_KEPT = 7 * DAY

/**
 * Whether a batch has not been counted yet. To be asked in the transaction that counts it, so that a batch that is repeated, since
 * it is not known whether it arrived, counts once.
 *
 * @param writer - whose batches have growing numbers: a random id of the process
 * @param now - milliseconds since 1970
 */
export async function isNewBatch(database: Database, writer: string, number: number, now: number): Promise<boolean> {
  const changed = await database.run(
    `INSERT INTO store_writer (writer, number, used_at) VALUES (?, ?, ?)
     ON CONFLICT (writer) DO UPDATE SET number = excluded.number, used_at = excluded.used_at
     WHERE store_writer.number < excluded.number`,
    [writer, number, now],
  )
  if (number === 1) await database.run('DELETE FROM store_writer WHERE used_at < ?', [now - WRITER_KEPT])
  return changed > 0
}

/** Values of one statement: SQLite takes 32,766. */
const MOST_VALUES = 16_000

/**
 * Inserts rows, many in a statement: PostgreSQL takes a round trip for each. Two rows of one statement must not have the same key where
 * `conflict` updates, and rows in the order of their keys keep PostgreSQL from deadlocks.
 *
 * @param into - `table (column, …)`
 * @param conflict - `ON CONFLICT …`
 * @returns how many rows were changed
 */
export async function insertRows(
  database: Database,
  into: string,
  rows: readonly (readonly Value[])[],
  conflict = '',
): Promise<number> {
  const atOnce = Math.floor(MOST_VALUES / (rows[0]?.length ?? 1))
  let changed = 0
  for (const some of pieces(rows, atOnce)) {
    const values = some.map((row) => `(${marks(row.length)})`).join(', ')
    changed += await database.run(`INSERT INTO ${into} VALUES ${values} ${conflict}`, some.flat())
  }
  return changed
}

/** `?, ?, ?` */
export function marks(count: number): string {
  return Array<string>(count).fill('?').join(', ')
}

/** As many items at a time as one statement is given. */
export function* pieces<Item>(items: readonly Item[], size = 500): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}
