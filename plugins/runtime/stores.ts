/**
 * Which store the settings name, for all plugins of this package and for its command. Nothing is opened before it is needed.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { Plugin } from './haraka'
import { knownCertsSql } from '../lib/certificates'
import { monitorSql, type MonitorStore } from '../lib/monitor'
import { createStsCache, DELIVERY_LIMIT, type StsCache } from '../lib/mta-sts'
import { outcomesSql, type OutcomeStore } from '../lib/tlsrpt/counting'
import { receivedSql, type ReceivedStore } from '../lib/tlsrpt/received'
import { reportSql, type ReportLedger } from '../lib/tlsrpt/sending'
import type { StoreSettings } from '../lib/settings'
import { createStore, type Calls, type Log, type Store, type StoreOptions } from '../lib/store'
import { instanceDirectory } from './config'
import { logOf } from './plugin'

/** Where a store is opened, and by which process. */
export interface StoreContext {
  /** the Haraka instance: files are relative to it */
  readonly instance: string
  readonly log: Log
  /** false, for the command: only workers make files, so that they are theirs */
  readonly create?: boolean
  /** true: nothing is written, not even missing tables */
  readonly readOnly?: boolean
}

/** The store context of a plugin. */
export function storeContextOf(plugin: Plugin): StoreContext {
  return { instance: instanceDirectory(plugin.config), log: logOf(plugin) }
}

/** The cache of MTA-STS policies. Deliveries wait for it, the command (which creates nothing) has time. */
export function createPolicyCache(store: StoreSettings, context: StoreContext): StsCache {
  return createStsCache(useStore(store, context), context.create === false ? undefined : DELIVERY_LIMIT)
}

/** The store of outcomes. */
export function createOutcomes(store: StoreSettings, context: StoreContext): OutcomeStore {
  const { store: used, end } = useStore(store, context)
  return { ...used.module(outcomesSql), addNow: used.moduleNow(outcomesSql).add, end }
}

/** How long a delivery waits to hear of known certificates: milliseconds. */
const KNOWN_LIMIT = 1000

export type KnownCerts = Calls<typeof knownCertsSql.methods> & Closable

/** The certificates that were accepted although they are not valid. */
export function createKnownCerts(store: StoreSettings, context: StoreContext): KnownCerts {
  const shared = useStore(store, context)
  return { ...shared.store.module(knownCertsSql, KNOWN_LIMIT), end: shared.end }
}

/** The ledger of reports. */
export function createLedger(store: StoreSettings, context: StoreContext): ReportLedger {
  const shared = useStore(store, context)
  return { ...shared.store.module(reportSql), end: shared.end }
}

/** The store of reports that others send. */
export function createReceived(store: StoreSettings, context: StoreContext): ReceivedStore & Closable {
  const shared = useStore(store, context)
  return { ...shared.store.module(receivedSql), end: shared.end }
}

export interface Closable {
  readonly end: () => void
}

/** The stores of this process, each with one thread, and how many use it. */
const stores = new Map<string, { readonly store: Store; users: number }>()

/** The store that all modules of this process share. It ends when the last of them does. */
export function useStore(settings: StoreSettings, context: StoreContext): Closable & { readonly store: Store } {
  const options = optionsOf(settings, context)
  const key = JSON.stringify(options)
  const shared = stores.get(key) ?? { store: createStore(options, context.log), users: 0 }
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

/** The store of monitoring data. */
export function createMonitor(store: StoreSettings, context: StoreContext): MonitorStore {
  const { store: used, end } = useStore(store, context)
  return { ...used.module(monitorSql), addNow: used.moduleNow(monitorSql).add, end }
}

function optionsOf({ engine, path, url }: StoreSettings, context: StoreContext): StoreOptions {
  if (engine === 'sqlite') return { engine, ...fileOf(context, path) }
  return { engine, url, readOnly: context.readOnly === true }
}

function fileOf({ instance, create = true, readOnly = false }: StoreContext, path: string) {
  return { path: resolve(instance, path), create, readOnly }
}
