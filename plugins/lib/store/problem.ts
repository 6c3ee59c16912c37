/**
 * What a failed call of SQLite means for its caller.
 *
 * @module
 */

/**
 * - `busy`: another process writes; the same call may succeed in a moment
 * - `corrupt`: the file is damaged or no database at all; it will not get better
 * - `unavailable`: an I/O failure: permissions, a missing directory, a full disk
 */
export type ProblemKind = 'busy' | 'corrupt' | 'unavailable'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** Judges what a call of node:sqlite has thrown. A mistake in our SQL is `unavailable` too: it is logged, and mail goes on. */
export function problemOf(error: unknown): ProblemKind {
  switch (resultCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return 'busy'
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return 'corrupt'
    default:
      return 'unavailable'
  }
}

/** The primary result code: the lowest eight bits of the extended one. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
