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
/** Others may write while the log is copied, and then there is more of it. Between two attempts it waits, for others to be done. */
const MOST_TRIES = 5
const PAUSE = 40
/** Pages of 4 kB. Of those who always write, a log that is longer is copied while they have to wait, before it reaches its bound. */
const LONG_LOG = 4000

/**
 * Copies the log while others write, and begins it anew as soon as all of it is copied.
 *
 * Whoever writes first after that would begin it, and wait for the disk: a delivery, most likely. A reader keeps all others from it,
 * until we do it ourselves. Who wants to write meanwhile comes again.
 */
function checkpoint(path: string): void {
  const [keeping, copying, writing] = [open(path), open(path), open(path)]
  try {
    let length = 0
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      if (tries > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
      beginReading(keeping)
      const before = versionOf(writing)
      const copied = copyLog(copying)
      length = copied.length
      if (!copied.isWhole) continue
      writing.exec('BEGIN IMMEDIATE')
      if (versionOf(writing) === before) {
        keeping.exec('ROLLBACK')
        beginLogAnew(writing)
        return
      }
      writing.exec('ROLLBACK')
    }
    if (length < LONG_LOG) return
    writing.exec('BEGIN IMMEDIATE')
    keeping.exec('ROLLBACK')
    const { isWhole } = copyLog(copying)
    writing.exec('ROLLBACK; BEGIN IMMEDIATE') // what is to begin it must have found it copied
    if (isWhole) beginLogAnew(writing)
  } finally {
    for (const database of [writing, copying, keeping]) database.close()
  }
}

/** While somebody reads from the log, nobody begins it anew. */
function beginReading(database: DatabaseSync): void {
  if (database.isTransaction) database.exec('ROLLBACK')
  database.exec('BEGIN')
  database.prepare('SELECT count(*) FROM sqlite_schema').get()
}

/** Another one as soon as somebody else has written. */
function versionOf(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA data_version').get()?.data_version
}

function open(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('mode', 'rw') // makes no file where there is none any more
  const database = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(url, { timeout: PATIENCE })
  database.exec('PRAGMA synchronous = NORMAL')
  return database
}

/** `isWhole`: all of it is copied; nobody still reads an earlier state, and nobody has written meanwhile. `length` is in pages. */
function copyLog(database: DatabaseSync): { readonly isWhole: boolean; readonly length: number } {
  const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
  return { isWhole: log === checkpointed, length: Number(log) }
}

/** This waits for the disk once, and whoever wants to write waits meanwhile. @param database - in a transaction that may write */
function beginLogAnew(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  database.exec(`PRAGMA user_version = ${version}; COMMIT`)
}
