/**
 * What the thread of a store is told, and what it answers.
 *
 * @module
 */

import type { MessagePort } from 'node:worker_threads'
import type { PostgresOptions } from './postgres-options'
import type { Done, Log } from './done'
import type { SqliteOptions } from './sqlite-file'

/** Where the store is: the thread is given it when it starts. */
export type StoreOptions =
  (SqliteOptions & { readonly engine: 'sqlite' }) | (PostgresOptions & { readonly engine: 'postgres' })

export interface CallMessage {
  readonly id: number
  /** of the module, and the name that the thread finds its method by */
  readonly file: string
  readonly method: string
  readonly values: readonly unknown[]
  /** the caller's thread stands still until the flag is set: the answer goes to the port */
  readonly waiting?: { readonly port: MessagePort; readonly flag: Int32Array }
}

export type CallResult = Done<unknown> & {
  /** no other call would have succeeded either */ readonly isUnavailable?: boolean
}

export type ThreadMessage =
  | { readonly id: number; readonly answer: CallResult }
  | { readonly level: Parameters<Log>[0]; readonly text: string }
  | 'closed'
