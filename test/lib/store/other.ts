/** Another module of the store, without tables. */
import { fileURLToPath } from 'node:url'
import type { Database } from '../../../dist/lib/store/index.js'

export const sql = {
  file: fileURLToPath(import.meta.url),
  name: 'other',
  tables: [],
  methods: { now: (database: Database): Promise<number> => database.now() },
}
