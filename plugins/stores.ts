/**
 * Which store the settings name, for all plugins of this package and for its command.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { Plugin } from './haraka'
import { createSqliteOutcomes, type OutcomeStore } from './lib/outcomes'
import type { StoreSettings } from './lib/settings'
import type { Log } from './lib/store'
import { instanceDirectory } from './main-settings'

/** Where a store is opened, and by whom. */
export interface StoreGround {
  /** the Haraka instance: files are relative to it */
  readonly instance: string
  readonly log: Log
  /** false, for the command: only workers make files, so that they are theirs */
  readonly create?: boolean
}

/** The ground that a plugin has. */
export function groundOf(plugin: Plugin): StoreGround {
  return { instance: instanceDirectory(plugin), log: logOf(plugin) }
}

/** A plugin's log, as rooms want it. */
export function logOf(plugin: Plugin): Log {
  return (level, text) => plugin[`log${level}`](text)
}

/** The store of outcomes. Nothing is opened before it is needed. */
export function createOutcomes(store: StoreSettings, { instance, ...ground }: StoreGround): OutcomeStore {
  return createSqliteOutcomes({ ...ground, path: resolve(instance, store.path) })
}
