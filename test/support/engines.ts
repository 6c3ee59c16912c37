/**
 * The engines of the store, for the contracts that both must meet.
 *
 * @module
 */
import type { TestContext } from 'node:test'
import { noPostgres, postgresServer } from './postgres.ts'
import { open, sqlite, type TestEngine } from './store.ts'

const server = noPostgres === false ? await postgresServer() : undefined
const databases = new WeakMap<TestContext, string>()

/** The database of a test. */
function databaseOf(t: TestContext): string {
  const name = databases.get(t) ?? server?.createDatabase() ?? ''
  databases.set(t, name)
  return name
}

export const postgres: TestEngine = {
  name: 'PostgreSQL',
  skip: noPostgres,
  options: (t) => ({ engine: 'postgres', url: server?.url(databaseOf(t)) }),
  store: (t, log) => open(t, postgres.options(t), log),
  change: (t, sql) => Promise.resolve(void server?.sql(databaseOf(t), sql)),
}

export const engines: readonly TestEngine[] = [sqlite, postgres]
