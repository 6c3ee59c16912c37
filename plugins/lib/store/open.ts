/**
 * Opening a SQLite file that several processes share, and bringing its tables up to date.
 *
 * Write-ahead logging with `synchronous=NORMAL`: a killed process loses nothing that was committed, and corrupts nothing. A power
 * failure may take back the last commits, never a part of one. In exchange a commit needs no fsync, which would hold up all
 * deliveries of the process, for node:sqlite is synchronous. What needs one is left to a thread, see {@link requestCheckpoint}.
 *
 * @module
 */

import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { LONGEST_LOG } from './checkpoint'
import { problemOf, textOf, type ProblemKind } from './problem'

export interface DatabaseOptions {
  readonly path: string
  /** SQL that leads from each version of the tables to the next. What has been released is never changed, only added to. */
  readonly migrations: readonly string[]
  /**
   * false: where there is no file, none is made, and a damaged one is left where it is. A file that the administrator's command made
   * would not be the worker's to write.
   */
  readonly create?: boolean
  /** true: nothing is written, not even missing tables; only together with `create: false` */
  readonly readOnly?: boolean
}

/** An open database, and which file it is, whatever becomes of the name. */
export interface OpenFile {
  readonly database: DatabaseSync
  readonly inode: bigint | undefined
}

export type Opened =
  | (OpenFile & {
      readonly ok: true
      /** where the damaged file that was here before has been put */
      readonly setAside: string | undefined
    })
  | { readonly ok: false; readonly text: string }

/**
 * How long a call waits for another process, with all deliveries of this one waiting too: milliseconds. That is for those that are done
 * in a moment; whoever has to wait longer comes again, and holds up nobody meanwhile.
 */
export const BUSY_TIMEOUT = 2
/** Several processes that create one file at once fail in spite of any time-out, and have to try again. */
const MOST_TRIES = 40
/** The same where it is only busy, some ten seconds: another process may be bringing a large one up to date. */
const MOST_WAITS = 300

/**
 * Opens a database, creates it where there is none, and sets a damaged one aside under a new name to begin afresh. A file of a later
 * version of this program is left as it is and not used.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Opened> {
  let setAside: string | undefined
  for (let tries = 1; ; tries++) {
    const attempt = tryOpen(options)
    if ('database' in attempt) return { ok: true, ...attempt, setAside }
    const isOver = tries >= (attempt.kind === 'busy' ? MOST_WAITS : MOST_TRIES)
    if (attempt.kind === 'unavailable' || isOver) return { ok: false, text: attempt.text }
    if (attempt.kind === 'corrupt' && options.create === false) return { ok: false, text: attempt.text }
    try {
      if (attempt.kind === 'corrupt') setAside = putAside(options.path, attempt.inode) ?? setAside
    } catch (error) {
      return { ok: false, text: `${attempt.text}, and cannot be put aside: ${textOf(error)}` }
    }
    await sleep(10 + Math.random() * 50)
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

interface FailedAttempt {
  readonly kind: ProblemKind
  readonly text: string
  readonly inode: bigint | undefined
}

function tryOpen(options: DatabaseOptions): OpenFile | FailedAttempt {
  const { path, migrations, create = true, readOnly = false } = options
  if (!create && !existsSync(path)) return { kind: 'unavailable', text: `${path}: no such file`, inode: undefined }
  let database: DatabaseSync | undefined
  try {
    // loaded when it is needed: a Node.js without it would fail here before it is told that it is too old
    const sqlite = process.getBuiltinModule('node:sqlite')
    database = new sqlite.DatabaseSync(path, { timeout: BUSY_TIMEOUT, readOnly })
    if (readOnly) checkVersion(database, migrations)
    else {
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${LONGEST_LOG}`,
      )
      migrate(database, migrations)
    }
    return { database, inode: inodeOf(path) }
  } catch (error) {
    const failed = { kind: problemOf(error), text: `${path}: ${textOf(error)}`, inode: inodeOf(path) }
    database?.close()
    return failed
  }
}

/** Applies what is missing, all of it or nothing; another process may be at it at the same time. */
function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  if (versionOf(database) === migrations.length) return
  database.exec('BEGIN IMMEDIATE')
  const version = versionOf(database)
  if (version > migrations.length) checkVersion(database, migrations)
  for (const sql of migrations.slice(version)) database.exec(sql)
  database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`) // what has failed above is undone by closing
}

/** Tables of an earlier version are a worker's to bring up to date. */
function checkVersion(database: DatabaseSync, migrations: readonly string[]): void {
  const version = versionOf(database)
  if (version !== migrations.length)
    throw new Error(`tables of version ${version}, this program knows ${migrations.length}`)
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

/**
 * Renames a damaged file, so that it can be looked into. Its log goes first: it must not be taken for that of the next file.
 *
 * @returns the new name; undefined where another process was faster, and there is a new file already
 */
export function putAside(path: string, inode: bigint | undefined): string | undefined {
  if (inode === undefined || inodeOf(path) !== inode) return undefined
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, '')}`
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`)
  rmSync(`${path}-shm`, { force: true })
  renameSync(path, aside)
  return aside
}
