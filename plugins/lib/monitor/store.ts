/**
 * What a store of the things to look at must be able to do: SQLite for one machine, Redis for several. Nothing here rejects, and no
 * delivery waits for it.
 *
 * Everything is summed up as it is written, so that a page costs a few index lookups, however much mail there was.
 *
 * @module
 */

import type { Done } from '../store'
import type {
  DestinationDetails,
  DestinationPage,
  DestinationQuery,
  LevelCount,
  ResolverState,
  Sighting,
  WaitingDomain,
  WaitingMessage,
} from './facts'
import type { Amount } from './meters'

/** `message` undefined: it is delivered, bounced, or waits for another reason now. */
export interface WaitingChange {
  readonly id: string
  readonly message: WaitingMessage | undefined
}

/** What one worker has seen since the batch before. Few enough items to be written in a few milliseconds. */
export interface MonitorBatch {
  /** who writes it: a process, or what it began afresh */
  readonly writer: string
  /** grows from batch to batch of a writer; what is not larger than the last one has arrived already, and counts once */
  readonly number: number
  /** whose counters they are */
  readonly machine: string
  readonly amounts: readonly Amount[]
  readonly levels: readonly LevelCount[]
  /** the last of each domain, host and kind (opened, refused) */
  readonly sightings: readonly Sighting[]
  readonly waiting: readonly WaitingChange[]
  readonly resolver: ResolverState | undefined
}

/** From `from` up to but without `to`: milliseconds since 1970. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Waiting {
  /** all messages, also those of domains beyond the limit */
  readonly messages: number
  /** those with the most messages first */
  readonly domains: readonly WaitingDomain[]
}

export interface Census {
  readonly destinations: number
  /** refused since they were last delivered to */
  readonly failing: number
}

export interface MonitorStore {
  /** @returns false: it had arrived already, and nothing was counted */
  add(batch: MonitorBatch, now: number): Promise<Done<boolean>>
  /** The same at once, for the end of the process; absent: the engine cannot. */
  addNow?(batch: MonitorBatch, now: number): Done<boolean>

  /** All that was ever counted on a machine. */
  amounts(machine: string): Promise<Done<readonly Amount[]>>
  /** Connections of all machines, hour by hour. */
  levels(span: Span): Promise<Done<readonly LevelCount[]>>
  waiting(now: number, limit: number): Promise<Done<Waiting>>
  /** Messages to one domain, the one that waits longest first. */
  waitingFor(domain: string, now: number, limit: number): Promise<Done<readonly WaitingMessage[]>>
  census(): Promise<Done<Census>>
  destinations(query: DestinationQuery): Promise<Done<DestinationPage>>
  destination(domain: string): Promise<Done<DestinationDetails | undefined>>
  resolvers(): Promise<Done<readonly ResolverState[]>>

  /** Removes what was last seen before `before`, and messages that wait no more. Counters stay. Short pieces of work. */
  removeOld(before: number, now: number): Promise<Done<void>>
  end(): void
}
