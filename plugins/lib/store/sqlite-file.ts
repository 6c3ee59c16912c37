/**
 * Opening a SQLite file that several processes share.
 *
 * Write-ahead logging with `synchronous=NORMAL`: a killed process loses nothing that was committed, and corrupts nothing. A power
 * failure may take back the last commits, never a part of one.
 *
 * @module
 */

import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../error-text'
import { StoreUnavailable } from './database'
import { problemOf } from './problem'

export interface SqliteOptions {
  readonly path: string
  /**
   * false: where there is no file, none is made, and a damaged one is left where it is. A file that the administrator's command made
   * would not be the worker's to write.
   */
  readonly create?: boolean
  /** true: nothing is written, not even missing tables; only together with `create: false` */
  readonly readOnly?: boolean
}

/** An open database, and which file it is, also when the name changes. */
export interface OpenFile {
  readonly database: DatabaseSync
  readonly inode: bigint | undefined
  /** the new name of the damaged file that was here before */
  readonly setAside: string | undefined
}

/** How long a call of SQLite waits for another process, with all of the thread waiting: milliseconds. Then it is tried again in turn. */
const BUSY_TIMEOUT = 10
/** Several processes that create one file at once fail in spite of any time-out, and have to try again. Some ten seconds. */
const MOST_TRIES = 300

/** Opens a database, creates it where there is none, and sets a damaged one aside under a new name to begin anew. */
export async function openFile(options: SqliteOptions): Promise<OpenFile> {
  const { path, create = true } = options
  let setAside: string | undefined
  for (let tries = 1; ; tries++) {
    try {
      return { ...tryOpen(options), setAside }
    } catch (error) {
      const kind = problemOf(error)
      if (kind === 'unavailable' || tries === MOST_TRIES || (kind === 'corrupt' && !create))
        throw new StoreUnavailable(errorText(error))
      if (kind === 'corrupt') setAside = putAside(path, inodeOf(path)) ?? setAside
    }
    await sleep(10 + Math.random() * 50)
  }
}

function tryOpen({ path, create = true, readOnly = false }: SqliteOptions): Omit<OpenFile, 'setAside'> {
  if (!existsSync(path)) {
    if (!create) throw new StoreUnavailable('no such file')
    closeSync(openSync(path, 'a', 0o600)) // SQLite gives its log the same mode
  }
  // loaded when it is needed: a Node.js without it would fail here before it is told that it is too old
  const sqlite = process.getBuiltinModule('node:sqlite')
  const database = new sqlite.DatabaseSync(path, { timeout: BUSY_TIMEOUT, readOnly })
  try {
    if (readOnly) database.prepare('SELECT count(*) FROM sqlite_schema').get()
    else database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    return { database, inode: inodeOf(path) }
  } catch (error) {
    database.close()
    throw error
  }
}

/** The file behind a path; undefined where there is none, or none that may be looked at: a directory that we may not search. */
export function inodeOf(path: string): bigint | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
  } catch {
    return undefined
  }
}

/**
 * Renames a damaged file, so that it can be looked into. Its log goes first: it must not be taken for that of the next file.
 *
 * @returns the new name; undefined where another process was faster, and there is a new file already
 */
export function putAside(path: string, inode: bigint | undefined): string | undefined {
  if (inode === undefined || inodeOf(path) !== inode) return undefined
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, '')}`
  try {
    if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`)
    rmSync(`${path}-shm`, { force: true })
    renameSync(path, aside)
  } catch (error) {
    throw new StoreUnavailable(`it is damaged, and cannot be put aside: ${errorText(error)}`)
  }
  return aside
}
