/**
 * The Haraka plugin "outbound-tls": outbound mail keeps to DANE, MTA-STS and STARTTLS, host by host, failing closed.
 *
 * @module
 */

import cluster from 'node:cluster'
import type { HMailItem, Next, Plugin } from '../haraka'
import { ignoresBadPlugins, usePackageConfig } from '../main-settings'
import { createEngine, type Engine } from './engine'
import { installGuard } from './guard'
import { checkHaraka, checkNode } from '../versions'

/** One process has one Haraka, and it loads a plugin once. */
let engine: Engine | undefined

export function register(this: Plugin): void {
  checkNode(process.versions.node)
  checkHaraka(this.haraka_require('package.json').version)
  usePackageConfig(this)
  this.timeout = 0 // nothing here waits for anything, so nothing can run out of time
  engine = createEngine(this)
  refuseToLoad(this, engine.errors)

  this.register_hook('init_master', 'start')
  this.register_hook('init_child', 'start')
  this.register_hook('send_email', 'install_guard', -100) // before anyone else touches the delivery
  this.register_hook('get_mx', 'install_guard', -100) // where somebody answered even before
}

/** In a cluster the master delivers nothing: there is nothing to start. */
export function start(next: Next, server: { readonly cluster?: unknown }): void {
  if (server.cluster === undefined || cluster.isWorker) engine?.start()
  next()
}

export function install_guard(next: Next, hmail: HMailItem): void {
  if (engine !== undefined) installGuard(hmail, engine)
  next()
}

export function shutdown(): void {
  engine?.close()
}

/**
 * A configuration that cannot be read stops Haraka at its start. Where Haraka runs all the same (`ignore_bad_plugins`,
 * a worker that is started again after a broken reload), the guard is installed and defers every message.
 */
function refuseToLoad(plugin: Plugin, errors: readonly string[]): void {
  if (errors.length === 0 || cluster.isWorker || ignoresBadPlugins(plugin)) return
  throw new Error(`outbound-tls does not load: ${errors.join(' | ')}`)
}
