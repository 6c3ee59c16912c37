/**
 * A module of the store that reads what tests want to see of the tables of others.
 *
 * @module
 */
import type { Database, Row } from '../../dist/lib/store/index.js'

export const sql = {
  file: import.meta.filename,
  name: 'rows',
  tables: [],
  methods: { rows: (database: Database, query: string): Promise<readonly Row[]> => database.all(query) },
}
