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

/** For a writer to end: milliseconds. This thread has the time. */
const PATIENCE = 500

/**
 * Copies the log, and begins it anew. Most of it is copied while others write; then they are kept out for what they have added since,
 * a few milliseconds, in which whoever writes comes again.
 */
function checkpoint(path: string): void {
  const reading = open(path)
  const writing = open(path)
  try {
    copyLog(reading)
    writing.exec('BEGIN IMMEDIATE')
    const isWhole = copyLog(reading)
    writing.exec('ROLLBACK')
    if (isWhole) beginLogAnew(writing)
  } finally {
    writing.close()
    reading.close()
  }
}

function open(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('mode', 'rw') // makes no file where there is none any more
  return new (process.getBuiltinModule('node:sqlite').DatabaseSync)(url, { timeout: PATIENCE })
}

/** @returns whether all of it is copied: nobody still reads an earlier state, and nobody has written meanwhile */
function copyLog(database: DatabaseSync): boolean {
  const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
  return log === checkpointed
}

/** Whoever is the first to write after all was copied, begins the log anew, and waits for the disk. Better we than a delivery. */
function beginLogAnew(database: DatabaseSync): void {
  database.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  database.exec(`PRAGMA user_version = ${version}; COMMIT`)
}
