/**
 * Outcomes of this process: counted in the store that the settings name; old ones are removed from it.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from '../runtime/haraka'
import {
  createOutcomeRecorder,
  type OutcomeStore,
  type OutcomeRecorderOptions,
  type SessionOutcome,
} from '../lib/tlsrpt/counting'
import type { StoreSettings } from '../lib/settings'
import { createClockGuard } from '../lib/store'
import { monitoring } from '../runtime/monitoring'
import { logOf } from '../runtime/plugin'
import { createOutcomes, storeContextOf } from '../runtime/stores'
import { HOUR } from '../lib/time'

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
}

/** Nothing is opened, and no timer set, before something is recorded. */
export function createOutcomeKeeper(plugin: Plugin): Outcomes {
  const onLost = (count: number) => monitoring.count('outcomesLost', {}, count)
  const isSteady = createClockGuard(Date.now, () => performance.now(), 0.9 * HOUR) // a timer may be early
  let current: Current | undefined
  // the recorder outlives each store: what one has not taken, as with a wrong password, is for the one after it
  const recorder = createOutcomeRecorder({ store: inTurn(() => current?.store), log: logOf(plugin), onLost })
  let timer: NodeJS.Timeout | undefined

  const removeOld = () => {
    if (current !== undefined && isSteady()) void removeAllOld(current)
  }
  const atExit = () => {
    recorder.flushNow()
    current?.store.end()
  }

  return {
    record: (outcome) => {
      if (current !== undefined) recorder.record(outcome)
    },
    use: (settings) => {
      const before = current
      if (before !== undefined && isDeepStrictEqual(before.settings, settings)) return
      current = { settings, store: createOutcomes(settings, storeContextOf(plugin)) }
      before?.store.end()
    },
    start: () => {
      if (timer !== undefined) return
      timer = setInterval(removeOld, HOUR).unref()
      process.on('exit', atExit)
    },
    close: () => {
      clearInterval(timer)
      void recorder.flush()
    },
  }
}

/** A piece at a time. */
async function removeAllOld({ store, settings }: Current): Promise<void> {
  for (let isMore = true; isMore;) {
    const removed = await store.removeOld(settings.retention)
    isMore = removed.ok && removed.value
  }
}

/** Whichever store is used at the time. */
function inTurn(store: () => OutcomeStore | undefined): OutcomeRecorderOptions['store'] {
  const none = { ok: false, text: 'there is no store yet' } as const
  return {
    add: (batch) => store()?.add(batch) ?? Promise.resolve(none),
    addNow: (batch) => store()?.addNow(batch) ?? none,
  }
}
