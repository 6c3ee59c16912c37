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
const PATIENCE = 2000

/**
 * Copies the log, and begins it anew. Most of it is copied while others write; then they are kept out for what they have added since,
 * which takes the disk some moments. They find out at once, and come again.
 *
 * Whoever writes first after all is copied begins the log anew, and waits for the disk: better we than a delivery.
 */
function checkpoint(path: string): void {
  const copying = open(path)
  try {
    if (copyLog(copying) === undefined) return
    const writing = open(path)
    try {
      writing.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
      const isWhole = copyLog(copying)
      writing.exec('ROLLBACK; BEGIN IMMEDIATE') // whoever begins the log anew must have found it copied
      if (isWhole) writeNothing(writing)
    } finally {
      writing.close()
    }
  } finally {
    copying.close()
  }
}

function open(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('mode', 'rw') // makes no file where there is none any more
  return new (process.getBuiltinModule('node:sqlite').DatabaseSync)(url, { timeout: PATIENCE })
}

/**
 * @returns whether all of it is copied, which it is not where somebody still reads an earlier state; undefined: there is none, or the
 *   thread of another process is at it
 */
function copyLog(database: DatabaseSync): boolean | undefined {
  const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
  return Number(log) > 0 ? log === checkpointed : undefined
}

function writeNothing(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  database.exec(`PRAGMA user_version = ${version}; COMMIT`)
}
