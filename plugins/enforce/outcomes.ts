/**
 * What becomes of outcomes in this process: they are counted in the store that the settings name, and old ones are removed from it.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from '../haraka'
import { createRecorder, type OutcomeRecorder, type OutcomeStore, type SessionOutcome } from '../lib/outcomes'
import type { StoreSettings } from '../lib/settings'
import { createSteadiness } from '../lib/store'
import { notes } from '../monitoring'
import { createOutcomes, groundOf, logOf } from '../stores'

const HOUR = 3_600_000

export interface Outcomes {
  readonly record: (outcome: SessionOutcome) => void
  /** Counts in this store from now on. */
  readonly use: (settings: StoreSettings) => void
  /** Begins to remove what is old. */
  readonly start: () => void
  /** Writes what there is. What is recorded later is written at the end of the process. */
  readonly close: () => void
}

interface Current {
  readonly settings: StoreSettings
  readonly store: OutcomeStore
  readonly recorder: OutcomeRecorder
}

/** Nothing is opened, and no timer set, before something is recorded. */
export function createOutcomeKeeper(plugin: Plugin): Outcomes {
  const onLost = (count: number) => notes.count('outcomesLost', {}, count)
  const isSteady = createSteadiness(Date.now, () => performance.now(), 0.9 * HOUR) // a timer may be early
  let current: Current | undefined
  let timer: NodeJS.Timeout | undefined

  const removeOld = () => {
    if (current !== undefined && isSteady()) void current.store.removeOld(Date.now() - current.settings.retention)
  }
  const atExit = () => {
    current?.recorder.flushNow()
    current?.store.end()
  }

  return {
    record: (outcome) => current?.recorder.record(outcome),
    use: (settings) => {
      const before = current
      if (before !== undefined && isDeepStrictEqual(before.settings, settings)) return
      const store = createOutcomes(settings, groundOf(plugin))
      current = { settings, store, recorder: createRecorder({ store, log: logOf(plugin), onLost }) }
      if (before !== undefined) void before.recorder.flush().then(() => end(before))
    },
    start: () => {
      if (timer !== undefined) return
      timer = setInterval(removeOld, HOUR).unref()
      process.on('exit', atExit)
    },
    close: () => {
      clearInterval(timer)
      void current?.recorder.flush()
    },
  }
}

/** What a store that is left behind has not taken is lost, and that is said. */
function end({ recorder, store }: Current): void {
  recorder.flushNow()
  store.end()
}
