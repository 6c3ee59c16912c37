/**
 * Monitoring data of all plugins of this package in one process: they share one recorder, and one store to read from.
 * Nothing waits for it, and nothing fails by it.
 *
 * @module
 */

import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from './haraka'
import { createMonitorRecorder, type Downgrade, type MonitorStore, type MonitorRecorder } from '../lib/monitor'
import type { StoreSettings } from '../lib/settings'
import { isoTime } from '../lib/time'
import { createMonitor, storeContextOf } from './stores'

interface Monitor {
  readonly settings: StoreSettings
  readonly store: MonitorStore
  readonly recorder: MonitorRecorder
}

let current: Monitor | undefined
/** Resolves when the stores before it have been written and closed. */
let leaving: Promise<void> = Promise.resolve()

const LONGEST_NAME = 255

/** Under which name the counters of this machine are kept. */
export const machineName = hostname().slice(0, LONGEST_NAME) || 'localhost'

/**
 * Has what is noted from now on kept where the settings say. All plugins read the same file, so that the last one to say so is right.
 * Nothing is opened before it is needed.
 */
export function useMonitor(plugin: Plugin, settings: StoreSettings): void {
  const before = current
  if (before !== undefined && isDeepStrictEqual(before.settings, settings)) return
  const store = createMonitor(settings, storeContextOf(plugin))
  const { retention } = settings
  const onDowngrade = ({ domain, host, goodSince, goodAt, text }: Downgrade) =>
    plugin.logwarn(
      `${host} for ${domain} was Verified or Trusted from ${isoTime(goodSince)} to ${isoTime(goodAt)}, and is not any more: ${text}`,
    )
  const recorder = createMonitorRecorder({ store, machine: machineName, retention, onDowngrade })
  current = { settings, store, recorder }
  if (before === undefined) process.on('exit', atExit)
  else leaving = Promise.all([leaving, leave(before)]).then(() => undefined)
}

async function leave({ recorder, store }: Monitor): Promise<void> {
  await recorder.close()
  store.end()
}

/** The store to read from; undefined: there are no settings yet. To be asked for each time: another one may have taken its place. */
export function monitorStore(): MonitorStore | undefined {
  return current?.store
}

/** Writes what there is. What is noted later is written at the end of the process. */
export async function flushMonitor(): Promise<void> {
  await Promise.all([current?.recorder.flush(), leaving])
}

/** What plugins record. Before there are settings nothing is kept. */
export type MonitoringRecorder = Omit<MonitorRecorder, 'flush' | 'flushNow' | 'close'>

export const monitoring: MonitoringRecorder = {
  count: (meter, labels, by) => current?.recorder.count(meter, labels, by),
  time: (meter, labels, milliseconds) => current?.recorder.time(meter, labels, milliseconds),
  recordConnection: (connection) => current?.recorder.recordConnection(connection),
  judged: (outcome) => current?.recorder.judged(outcome),
  addDeferred: (message) => current?.recorder.addDeferred(message),
  removeDeferred: (id) => current?.recorder.removeDeferred(id),
  tested: (state) => current?.recorder.tested(state),
}

function atExit(): void {
  current?.recorder.flushNow()
  current?.store.end()
}
