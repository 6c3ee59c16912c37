/**
 * Counting in memory, and writing the counts in batches, off the path of deliveries: counting never waits and never fails.
 *
 * While batches cannot be written the counts are kept, up to a bound; then the oldest are given up, and the log says how many.
 *
 * @module
 */

import type { Done, Log } from './done'
import { createTally } from './tally'

export interface Counted<Item> {
  readonly item: Item
  readonly count: number
}

/** A batch that could not be written, or whose result is not known, comes again under its number. */
export interface NumberedBatch<Item> {
  readonly number: number
  readonly counts: readonly Counted<Item>[]
}

export interface BatcherOptions<Item> {
  /** what is counted, in log lines: "outcomes" */
  readonly what: string
  /** must not reject */
  readonly write: (batch: NumberedBatch<Item>) => Promise<Done<unknown>>
  /** the same at once, for the end of the process; absent: the engine cannot */
  readonly writeNow?: ((batch: NumberedBatch<Item>) => Done<unknown>) | undefined
  readonly log: Log
  /** told how many are given up */
  readonly onLost?: ((count: number) => void) | undefined
  /** how many different items are kept; {@link MOST_KEPT} unless tests say otherwise */
  readonly mostKept?: number
  /** milliseconds; {@link INTERVAL} unless tests say otherwise */
  readonly interval?: number
}

export interface Batcher<Item> {
  /** Counts an item once more. Items of the same key are the same. */
  readonly add: (key: string, item: Item) => void
  /** Writes what there is; comes to an end, written or not. */
  readonly flush: () => Promise<void>
  /** Writes what can be written without waiting: nothing else runs any more. */
  readonly flushNow: () => void
}

/** How long what is counted stays in memory, as long as it can be written: milliseconds. A killed process loses no more. */
export const INTERVAL = 200
/** After a failure, the next attempt: milliseconds. */
const PAUSE = 1000
/** Items in a batch, which is copied to the thread of the store at once: some milliseconds. */
const PIECE = 1000
/** Different items to keep in memory: some 20 MB of them, if each has policies of its own. */
export const MOST_KEPT = 20_000

interface State<Item> {
  readonly options: BatcherOptions<Item>
  readonly counts: Map<string, { readonly item: Item; count: number }>
  /** taken out of `counts` to be written, and not known to be written */
  pending: NumberedBatch<Item> | undefined
  number: number
  timer?: NodeJS.Timeout | undefined
  flushing?: Promise<void> | undefined
}

/** Makes a batcher. It has a timer, which does not keep the process alive, only while there is something to write. */
export function createBatcher<Item>(options: BatcherOptions<Item>): Batcher<Item> {
  const { what, log, mostKept = MOST_KEPT, interval = INTERVAL } = options
  const state: State<Item> = { options, counts: new Map(), pending: undefined, number: 0 }
  const tally = createTally((count) => log('error', `${count} ${what} are lost: they could not be written`))
  const lose = (count: number): void => {
    if (count === 0) return
    tally.add(count)
    options.onLost?.(count)
  }

  const flush = (): Promise<void> => {
    clearTimeout(state.timer)
    state.timer = undefined
    state.flushing ??= writeAll(state).finally(() => {
      state.flushing = undefined
      if (state.pending !== undefined) schedule(PAUSE)
      else if (state.counts.size > 0) schedule(interval)
      else tally.tellRest()
    })
    return state.flushing
  }
  const schedule = (delay: number): void => {
    if (state.flushing === undefined) state.timer ??= setTimeout(() => void flush(), delay).unref()
  }

  return {
    add: (key, item) => {
      const known = state.counts.get(key)
      if (known !== undefined) known.count++
      else state.counts.set(key, { item, count: 1 })
      if (state.counts.size > mostKept) lose(dropOldest(state))
      schedule(interval)
    },
    flush,
    flushNow: () => {
      writeAllNow(state)
      lose(dropAll(state))
      tally.tellRest()
    },
  }
}

/** One batch after the other. */
async function writeAll<Item>(state: State<Item>): Promise<void> {
  for (let batch = nextBatch(state); batch !== undefined; batch = nextBatch(state)) {
    const done = await state.options.write(batch)
    if (!done.ok) return
    if (state.pending === batch) state.pending = undefined
  }
}

function writeAllNow<Item>(state: State<Item>): void {
  const { writeNow } = state.options
  if (writeNow === undefined) return
  for (let batch = nextBatch(state); batch !== undefined; batch = nextBatch(state)) {
    if (!writeNow(batch).ok) return
    state.pending = undefined
  }
}

function nextBatch<Item>(state: State<Item>): NumberedBatch<Item> | undefined {
  if (state.pending !== undefined || state.counts.size === 0) return state.pending
  const counts: Counted<Item>[] = []
  for (const [key, counted] of state.counts) {
    if (counts.length === PIECE) break
    counts.push(counted)
    state.counts.delete(key)
  }
  state.pending = { number: ++state.number, counts }
  return state.pending
}

function dropAll<Item>(state: State<Item>): number {
  const left = [...state.counts.values(), ...(state.pending?.counts ?? [])]
  state.counts.clear()
  state.pending = undefined
  return left.reduce((sum, { count }) => sum + count, 0)
}

function dropOldest<Item>({ counts }: State<Item>): number {
  for (const [key, { count }] of counts) {
    counts.delete(key)
    return count
  }
  return 0
}
