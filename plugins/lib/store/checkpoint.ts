/**
 * Copying SQLite's write-ahead log into its file, in a thread of its own: that takes an fsync, and on a slow disk all deliveries of the
 * process would wait for it, for node:sqlite is synchronous.
 *
 * @module
 */

import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Where the thread does not keep up, or there is none, SQLite does it itself, in the way of everything else, when the log has this many
 * pages: 64 MB. This bounds the log.
 */
export const LONGEST_LOG = 16_000

/** One thread does it for all files of the process: it mostly waits for the disk. */
let thread: Worker | undefined
const underWay = new Map<string, { readonly ended: Promise<undefined>; readonly end: () => void }>()

/** Has the log of a file copied soon. @returns false: that is under way already, or there can be no thread now */
export function requestCheckpoint(path: string): boolean {
  if (underWay.has(path)) return false
  try {
    thread ??= startThread()
  } catch {
    return false // as where the system allows no more threads: SQLite does it itself, see LONGEST_LOG
  }
  const { promise: ended, resolve } = Promise.withResolvers<undefined>()
  underWay.set(path, { ended, end: () => resolve(undefined) })
  thread.postMessage(path)
  return true
}

/** When nobody is at the log of a file any more, so that the file may be renamed. */
export async function checkpointEnded(path: string): Promise<void> {
  await underWay.get(path)?.ended
}

function startThread(): Worker {
  const started = new Worker(join(__dirname, 'checkpoint-thread.js'), { stdin: false, env: {}, execArgv: [] })
  started.on('message', end)
  started.on('error', () => undefined) // it ends by that
  started.on('exit', () => {
    if (thread === started) thread = undefined
    for (const path of underWay.keys()) end(path)
  })
  started.unref() // last: to listen refers to it again
  return started
}

function end(path: string): void {
  underWay.get(path)?.end()
  underWay.delete(path)
}
