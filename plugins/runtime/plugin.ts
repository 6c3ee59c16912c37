/**
 * What the plugins of this package have in common when Haraka loads them.
 *
 * @module
 */

import cluster from 'node:cluster'
import { join } from 'node:path'
import type { Log } from '../lib/store'
import type { Plugin } from './haraka'
import { checkHaraka, checkNode } from './versions'

const PACKAGE_ROOT = join(__dirname, '..', '..')

/** The first thing in `register()`. Throws where Node or Haraka is too old. */
export function beginPlugin(plugin: Plugin): void {
  checkNode(process.versions.node)
  checkHaraka(plugin.haraka_require('package.json').version)
  // the default files are in config/ of the package, wherever a plugin lies in there
  plugin.config = plugin.config.module_config(PACKAGE_ROOT, process.env.HARAKA)
  plugin.timeout = 0 // what waits has limits of its own; a hook that runs out of time may lose mail
}

/**
 * A configuration that cannot be read stops Haraka at its start. Not everywhere: a worker may be started again after a broken reload, and
 * `ignore_bad_plugins` has Haraka run without the plugin.
 */
export function refuseToLoad(plugin: Plugin, errors: readonly string[]): void {
  if (errors.length === 0 || cluster.isWorker || ignoresBadPlugins(plugin)) return
  throw new Error(`${plugin.name} does not load: ${errors.join(' | ')}`)
}

/** Whether Haraka goes on without plugins that fail to load. */
function ignoresBadPlugins(plugin: Plugin): boolean {
  const setting = plugin.haraka_require('server').cfg?.main.ignore_bad_plugins
  return setting !== undefined && setting !== false && setting !== 'false' && setting !== ''
}

/** What Haraka passes to the hooks `init_master` and `init_child`. */
export interface HarakaServer {
  readonly cluster?: unknown
}

/** Whether mail is received and delivered here. In a cluster the master does neither. */
export function isWorker(server: HarakaServer): boolean {
  return server.cluster === undefined || cluster.isWorker
}

/** A plugin's log. */
export function logOf(plugin: Plugin): Log {
  return (level, text) => plugin[`log${level}`](text)
}
