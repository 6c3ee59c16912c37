/**
 * Which store the settings name, for all plugins of this package and for its command. Nothing is opened before it is needed.
 *
 * @module
 */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Plugin } from './haraka'
import { monitorSql, type MonitorStore } from './lib/monitor'
import { cachePath, createRedisCache, createSqliteCache, type StsCache } from './lib/mta-sts'
import { outcomesSql, type OutcomeStore } from './lib/outcomes'
import { receivedSql, type ReceivedStore } from './lib/received'
import { createRedisLedger, createSqliteLedger, ledgerPath, type ReportLedger } from './lib/reports'
import type { StoreSettings } from './lib/settings'
import { createStore, openRedis, type Log, type SharedRedis, type Store, type StoreOptions } from './lib/store'
import { instanceDirectory } from './main-settings'
import { readRedisIni, redisEndpoint } from './redis-ini'

/** Where a store is opened, and by whom. */
export interface StoreGround {
  /** the Haraka instance: files are relative to it */
  readonly instance: string
  /** redis.ini, as haraka-config gives it */
  readonly redisIni: () => unknown
  readonly log: Log
  /** false, for the command: only workers make files, so that they are theirs */
  readonly create?: boolean
  /** true: nothing is written, not even missing tables */
  readonly readOnly?: boolean
}

/** The ground that a plugin has. */
export function groundOf(plugin: Plugin): StoreGround {
  return { instance: instanceDirectory(plugin), redisIni: () => readRedisIni(plugin), log: logOf(plugin) }
}

/** A plugin's log, as rooms want it. */
export function logOf(plugin: Plugin): Log {
  return (level, text) => plugin[`log${level}`](text)
}

/** The cache of MTA-STS policies. */
export function createPolicyCache(store: StoreSettings, ground: StoreGround): StsCache {
  if (store.engine === 'redis') return createRedisCache(redisOf(store, ground, 'MTA-STS policies'))
  return createSqliteCache({ ...fileOf(ground, cachePath(store.path)), log: ground.log })
}

/** Whether there is a cache of policies: a file may still have to be made. */
export function hasPolicyCache(store: StoreSettings, { instance }: StoreGround): boolean {
  return store.engine === 'redis' || existsSync(resolve(instance, cachePath(store.path)))
}

/** The store of outcomes. */
export function createOutcomes(store: StoreSettings, ground: StoreGround): OutcomeStore {
  const { store: used, end } = useStore(store, ground)
  return { ...used.module(outcomesSql), addNow: used.moduleNow(outcomesSql).add, end }
}

/** The ledger of reports. */
export function createLedger(store: StoreSettings, ground: StoreGround): ReportLedger {
  if (store.engine === 'sqlite')
    return createSqliteLedger({ ...fileOf(ground, ledgerPath(store.path)), log: ground.log })
  return createRedisLedger({ redis: redisOf(store, ground, 'reports'), retention: store.retention })
}

/** The store of reports that others send. */
export function createReceived(store: StoreSettings, ground: StoreGround): ReceivedStore & Ending {
  const shared = useStore(store, ground)
  return { ...shared.store.module(receivedSql), end: shared.end }
}

export interface Ending {
  readonly end: () => void
}

/** The stores of this process, each with one thread, and how many use it. */
const stores = new Map<string, { readonly store: Store; users: number }>()

/** The store that all modules of this process share. It ends when the last of them does. */
export function useStore({ path }: StoreSettings, ground: StoreGround): Ending & { readonly store: Store } {
  const options: StoreOptions = { engine: 'sqlite', ...fileOf(ground, path) }
  const key = JSON.stringify(options)
  const shared = stores.get(key) ?? { store: createStore(options, ground.log), users: 0 }
  stores.set(key, shared)
  shared.users++
  let ended = false
  return {
    store: shared.store,
    end: () => {
      if (ended) return
      ended = true
      if (--shared.users > 0) return
      stores.delete(key)
      shared.store.end()
    },
  }
}

/** The store of what there is to look at. */
export function createMonitor(store: StoreSettings, ground: StoreGround): MonitorStore {
  const { store: used, end } = useStore(store, ground)
  return { ...used.module(monitorSql), addNow: used.moduleNow(monitorSql).add, end }
}

function fileOf({ instance, create = true, readOnly = false }: StoreGround, path: string) {
  return { path: resolve(instance, path), create, readOnly }
}

function redisOf({ redis }: StoreSettings, { redisIni, log }: StoreGround, purpose: string): SharedRedis {
  const endpoint = redisEndpoint(redisIni(), redis)
  endpoint.catch(() => undefined) // whoever needs it is told
  return openRedis({ endpoint: () => endpoint, purpose, log })
}
