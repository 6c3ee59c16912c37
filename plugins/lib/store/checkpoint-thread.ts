/**
 * The thread of {@link ./checkpoint}: is told paths, and answers with each when it is done.
 *
 * @module
 */

import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (path: string) => {
  try {
    checkpoint(path)
  } catch {
    // whoever uses the file finds out by itself; and the log is copied at the next time, or by SQLite at its bound
  }
  parentPort?.postMessage(path)
})

/** Others may write while the log is copied, and then there is more of it. */
const MOST_TRIES = 3

/** Copies the log, and begins it anew where all of it is copied. Nobody waits but for the moment that the latter takes. */
function checkpoint(path: string): void {
  const url = pathToFileURL(path)
  url.searchParams.set('mode', 'rw') // makes no file where there is none any more
  const database = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(url)
  try {
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
      if (log !== checkpointed) continue
      beginLogAnew(database)
      return
    }
  } finally {
    database.close()
  }
}

/** Whoever is the first to write after all was copied, begins the log anew, and waits for the disk. Better we than a delivery. */
function beginLogAnew(database: DatabaseSync): void {
  database.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  database.exec(`PRAGMA user_version = ${version}; COMMIT`)
}
