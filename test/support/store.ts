/**
 * A store of a test's own, on SQLite. For those that both engines must pass, see {@link ./engines}.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { createStore, type Log, type Store, type StoreOptions } from '../../dist/lib/store/index.js'

export interface TestEngine {
  readonly name: string
  /** why it cannot be tested here */
  readonly skip: string | false
  /** of the store of this test, which is empty at first and removed when it is over */
  readonly options: (t: TestContext) => StoreOptions
  /** another opening of it, with a thread of its own, as another process would have it */
  readonly store: (t: TestContext, log?: Log) => Store
  /** does something to its tables behind its back */
  readonly change: (t: TestContext, sql: string) => Promise<void>
}

const paths = new WeakMap<TestContext, string>()

/** The file of the SQLite store of a test. */
export function pathOf(t: TestContext): string {
  const known = paths.get(t)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'store.db')
  paths.set(t, path)
  return path
}

export const sqlite: TestEngine = {
  name: 'SQLite',
  skip: false,
  options: (t) => ({ engine: 'sqlite', path: pathOf(t) }),
  store: (t, log) => open(t, sqlite.options(t), log),
  change: (t, sql) => {
    const database = new DatabaseSync(pathOf(t))
    database.exec(sql)
    database.close()
    return Promise.resolve()
  },
}

/** Opens a store until the test is over. */
export function open(t: TestContext, options: StoreOptions, log: Log = () => undefined): Store {
  const store = createStore(options, log)
  t.after(() => store.end())
  return store
}
