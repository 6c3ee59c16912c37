/**
 * Outcomes and monitoring data on a store of a test's own.
 *
 * @module
 */
import { monitorSql, type MonitorStore } from '../../dist/lib/monitor/index.js'
import { outcomesSql, type OutcomeStore } from '../../dist/lib/tlsrpt/counting/index.js'
import { createStore, type Log, type Store } from '../../dist/lib/store/index.js'

interface Options {
  readonly path: string
  readonly log?: Log
  readonly create?: boolean
}

export function outcomesOf(store: Store): OutcomeStore {
  return { ...store.module(outcomesSql), addNow: store.moduleNow(outcomesSql).add, end: store.end }
}

export function monitorOf(store: Store): MonitorStore {
  return { ...store.module(monitorSql), addNow: store.moduleNow(monitorSql).add, end: store.end }
}

/** Opens a SQLite file, as another process has it. */
export function openOutcomes(options: Options): OutcomeStore {
  return outcomesOf(openFile(options))
}

/** Opens a SQLite file, as another process has it. */
export function openMonitor(options: Options): MonitorStore {
  return monitorOf(openFile(options))
}

function openFile({ path, log = () => undefined, create = true }: Options): Store {
  return createStore({ engine: 'sqlite', path, create }, log)
}
