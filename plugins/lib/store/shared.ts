/**
 * A database that stays usable for as long as a process lives: opened when it is first needed, tried again while others write, opened
 * again when its file is replaced, removed or found to be damaged. What cannot be done is a result, for no delivery may fail by it.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { checkpointEnded, requestCheckpoint } from './checkpoint'
import { BUSY_TIMEOUT, inodeOf, openDatabase, putAside, type DatabaseOptions, type OpenFile } from './open'
import { problemOf, textOf } from './problem'

export type Log = (level: 'crit' | 'error' | 'warn' | 'notice' | 'info' | 'debug', text: string) => void

export interface SharedOptions extends DatabaseOptions {
  readonly log: Log
}

/** A connection as work gets it: statements are prepared once. */
export interface Connection {
  readonly prepare: (sql: string) => StatementSync
  /** all of it or nothing */
  readonly transaction: <Result>(work: () => Result) => Result
  /** differs from that of every earlier connection */
  readonly number: number
}

export type Done<Result> = { readonly ok: true; readonly value: Result } | { readonly ok: false; readonly text: string }

export interface SharedDatabase {
  /** Does some work, which is synchronous and must be short. It may be begun several times, so it must be fit to be done again. */
  readonly run: <Result>(work: (connection: Connection) => Result) => Promise<Done<Result>>
  /** The same at once, once, where the database is open: for the end of the process, when nothing can be waited for any more. */
  readonly runNow: <Result>(work: (connection: Connection) => Result) => Done<Result>
  readonly close: () => void
}

/** Makes a shared database. Nothing is opened before it is needed. */
export function openShared(options: SharedOptions): SharedDatabase {
  const state: State = {
    ...{ options, openings: 0, hasLooked: false, closed: false },
    ...{ failedAt: -Infinity, loggedAt: -Infinity, failure: '' },
  }
  return {
    run: (work) => run(state, work),
    runNow: (work) => runNow(state, work),
    close: () => {
      state.closed = true
      drop(state)
    },
  }
}

interface Current extends OpenFile {
  readonly connection: Connection
  /** rows that were changed so far, and before the log was last copied */
  changed: number
  copied: number
  /** turns of the event loop in which any were, since */
  turns: number
}

interface State {
  readonly options: SharedOptions
  current?: Current | undefined
  opening?: Promise<Done<Current>> | undefined
  /** until work is tried again that has found another process writing */
  pause?: Promise<void> | undefined
  /** of the file that was used last */
  inode?: bigint | undefined
  openings: number
  /** at which file there is, in this turn of the event loop */
  hasLooked: boolean
  closed: boolean
  failure: string
  failedAt: number
  loggedAt: number
}

const MOST_TRIES = 15
/** How long work is tried again while others write, or a log is copied to a slow disk: milliseconds. Nothing else waits meanwhile. */
const PATIENCE = 5000
/** The same at the end of the process, when everything waits. */
const LAST_PATIENCE = 1000
/** After a failure to open, how long the file is not tried again; and how often failures are logged: milliseconds. */
const PAUSE = 1000
const LOG_PAUSE = 60_000
/** Rows that are changed until the log is copied: some hundred to a few thousand pages of 4 kB. */
const CHANGES = 2000
/** The same in turns of the event loop: a row may be large. */
const TURNS = 100

async function run<Result>(state: State, work: (connection: Connection) => Result): Promise<Done<Result>> {
  const begun = performance.now()
  for (let tries = 1; ; tries++) {
    const opened = await use(state)
    if (!opened.ok) return opened
    try {
      return { ok: true, value: work(opened.value.connection) }
    } catch (error) {
      const kind = problemOf(error)
      const text = `${state.options.path}: ${textOf(error)}`
      const isOver = kind === 'busy' ? performance.now() - begun > PATIENCE : tries >= MOST_TRIES
      if (kind === 'unavailable' || isOver) return fail(state, text)
      if (kind === 'corrupt') await checkpointEnded(state.options.path)
      const stuck = kind === 'corrupt' ? replaceDamaged(state, opened.value) : undefined
      if (stuck !== undefined) return fail(state, `${text}, and ${stuck}`)
      await pause(state)
    }
  }
}

/**
 * One finds out that another process writes, with everything waiting for it. Until it tries again, the others find out at once: those
 * that read do not mind.
 */
function pause(state: State): Promise<void> {
  waitForWriters(state, 0)
  state.pause ??= sleep(5 + Math.random() * 40).then(() => {
    state.pause = undefined
    waitForWriters(state, BUSY_TIMEOUT)
  })
  return state.pause
}

/** @param time - how long each call does: milliseconds */
function waitForWriters({ current }: State, time: number): void {
  current?.database.exec(`PRAGMA busy_timeout = ${time}`)
}

function runNow<Result>(state: State, work: (connection: Connection) => Result): Done<Result> {
  const { current, options } = state
  if (!current) return { ok: false, text: `${options.path} is not open` }
  try {
    waitForWriters(state, LAST_PATIENCE)
    return { ok: true, value: work(current.connection) }
  } catch (error) {
    return { ok: false, text: `${options.path}: ${textOf(error)}` }
  } finally {
    waitForWriters(state, BUSY_TIMEOUT)
  }
}

/** The log has had so many changes of rows that it is time to copy it. */
function checkpointWhenDue({ options, current }: State): void {
  if (!current) return // closed meanwhile, or put aside
  const changed = Number(current.connection.prepare('SELECT total_changes() AS changed').get()?.changed)
  if (changed > current.changed) current.turns++
  current.changed = changed
  if (changed - current.copied < CHANGES && current.turns < TURNS) return
  if (!requestCheckpoint(options.path)) return
  current.copied = changed
  current.turns = 0
}

/** The open database; opened, or opened again, where that is needed. */
function use(state: State): Promise<Done<Current>> {
  if (state.closed) return Promise.resolve({ ok: false, text: 'closed' })
  if (state.current && isReplaced(state, state.current)) drop(state)
  if (state.current) return Promise.resolve({ ok: true, value: state.current })
  if (performance.now() - state.failedAt < PAUSE) return Promise.resolve({ ok: false, text: state.failure })
  state.opening ??= open(state).finally(() => (state.opening = undefined))
  return state.opening
}

/** Someone may have replaced or removed the file. That is looked at once in a turn of the event loop, which may have much work for it. */
function isReplaced(state: State, { inode }: Current): boolean {
  if (state.hasLooked) return false
  state.hasLooked = true
  setImmediate(() => {
    state.hasLooked = false
    try {
      checkpointWhenDue(state)
    } catch {
      // nobody waits for this, and whoever uses the file next finds out by itself
    }
  })
  return inodeOf(state.options.path) !== inode
}

/** When the last of the files that are being opened has been. */
let lastOpening: Promise<unknown> = Promise.resolve()

/** Some milliseconds each: several files that are wanted at once, as by the page, are opened in turns of their own. */
function turnToOpen(): Promise<unknown> {
  lastOpening = lastOpening.then(() => nextTurn())
  return lastOpening
}

async function open(state: State): Promise<Done<Current>> {
  const { path, log } = state.options
  await turnToOpen()
  const opened = await openDatabase(state.options)
  if (!opened.ok) {
    state.failedAt = performance.now()
    state.failure = opened.text
    return fail(state, opened.text)
  }
  const { database, inode, setAside } = opened
  if (setAside !== undefined) tellSetAside(log, path, setAside)
  else if (state.inode !== undefined && state.inode !== inode)
    log('warn', `${path} is another file than before, which has been moved, removed or replaced: this one is used`)
  state.inode = inode
  if (state.closed) database.close()
  else
    state.current = {
      database,
      inode,
      connection: connectionTo(database, ++state.openings),
      changed: 0,
      copied: 0,
      turns: 0,
    }
  return state.current ? { ok: true, value: state.current } : { ok: false, text: 'closed' }
}

/**
 * For damage that shows only when a page is read.
 *
 * @returns what is wrong, where the file is not put aside
 */
function replaceDamaged(state: State, damaged: Current): string | undefined {
  const { path, log, create } = state.options
  if (state.current === damaged) drop(state)
  if (create === false) return 'left for a worker to put aside'
  try {
    const setAside = putAside(path, damaged.inode)
    if (setAside === undefined) return undefined
    tellSetAside(log, path, setAside)
    state.inode = undefined
    return undefined
  } catch (error) {
    return `cannot be put aside: ${textOf(error)}`
  }
}

function tellSetAside(log: Log, path: string, setAside: string): void {
  log('crit', `${path} is damaged: it has been put aside as ${setAside}, and a new one has been begun`)
}

function fail(state: State, text: string): { readonly ok: false; readonly text: string } {
  if (performance.now() - state.loggedAt >= LOG_PAUSE) {
    state.loggedAt = performance.now()
    state.options.log('crit', text)
  }
  return { ok: false, text }
}

function drop(state: State): void {
  state.current?.database.close()
  state.current = undefined
}

function connectionTo(database: DatabaseSync, number: number): Connection {
  const statements = new Map<string, StatementSync>()
  return {
    number,
    prepare: (sql) => {
      const known = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, known)
      return known
    },
    transaction: (work) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
  }
}
