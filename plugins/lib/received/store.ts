/**
 * What a store of received reports must be able to do: SQLite for one machine, Redis for several. Nothing here rejects: what could not
 * be done is a result, for no mail may be lost by it.
 *
 * @module
 */

import type { Done } from '../store'
import type { KeptReport, ReceivedEntry } from './kept'

/** Reports that do not count: those beyond are removed, the oldest first, whoever sends them. */
export const MOST_APART = 500
/** Reports that count, of one signer: no one can push out what others have sent. */
export const MOST_OF_ONE = 50_000

export interface EntryQuery {
  /** those received at this time or later, in milliseconds since 1970 */
  readonly since: number
  readonly isCounted: boolean
  /** those behind this one, which was the last of the page before */
  readonly after?: Pick<ReceivedEntry, 'receivedAt' | 'id'>
  readonly limit: number
}

export interface ReceivedStore {
  /**
   * Keeps a report.
   *
   * @param lifetime - how long it is kept, in milliseconds
   * @returns `known`: it was there already, which has been noted
   */
  add(report: KeptReport, lifetime: number): Promise<Done<'new' | 'known'>>
  /** The latest first. */
  entries(query: EntryQuery): Promise<Done<readonly ReceivedEntry[]>>
  /** @param id - of the entry; a report that is there but cannot be read counts as none */
  read(id: string): Promise<Done<KeptReport | undefined>>
  /** Removes what was received before a time. Short pieces of work. */
  removeOld(before: number): Promise<Done<void>>
  end(): void
}
