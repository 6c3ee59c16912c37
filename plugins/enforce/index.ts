/**
 * The Haraka plugin "outbound-tls": outbound mail keeps to DANE, MTA-STS and STARTTLS, host by host, failing closed.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { Connection, Dsn, HMailItem, Next, Plugin } from '../runtime/haraka'
import type { Settings } from '../lib/settings'
import { beginPlugin, isWorker, refuseToLoad, type HarakaServer } from '../runtime/plugin'
import { createEngine, type Engine } from './engine'
import { installGuard } from './guard'
import { requireTlsOfBounce } from './bounce'
import { readHeadersAtQueue } from './queueing'
import { offerRequireTls, readMail, readRcpt, refuseToQueueElsewhere } from './reception'
import { nodeWarning } from '../runtime/versions'

/** One process has one Haraka, and it loads a plugin once. */
let engine: Engine | undefined

export function register(this: Plugin): void {
  beginPlugin(this)
  const warning = nodeWarning(process.versions.node)
  if (warning !== undefined) this.logcrit(warning)
  engine = createEngine(this)
  refuseToLoad(this, engine.errors) // where Haraka runs all the same, the guard defers every message

  readHeadersAtQueue(this, this.haraka_require('outbound'), () => settingsNow()?.main.tlsRequiredNo === true)

  this.register_hook('init_master', 'start')
  this.register_hook('init_child', 'start')
  this.register_hook('send_email', 'install_guard', -100) // before anyone else touches the delivery
  this.register_hook('get_mx', 'install_guard', -100) // where another plugin answered even before
  this.register_hook('bounce', 'require_tls_of_bounce', -100)

  this.register_hook('capabilities', 'offer_requiretls')
  this.register_hook('mail', 'read_mail', -100) // a plugin that answers OK is the last to be asked
  this.register_hook('rcpt', 'read_rcpt', -100)
  this.register_hook('queue', 'refuse_to_queue_elsewhere', -100)
  this.register_hook('queue_outbound', 'refuse_to_queue_elsewhere', -100)
}

export function start(next: Next, server: HarakaServer): void {
  if (isWorker(server)) engine?.start()
  next()
}

export function install_guard(next: Next, hmail: HMailItem): void {
  if (engine !== undefined) installGuard(hmail, engine)
  next()
}

export function require_tls_of_bounce(this: Plugin, next: Next, hmail: HMailItem): void {
  requireTlsOfBounce(hmail, this)
  next()
}

export function offer_requiretls(next: Next, connection: Connection): void {
  if (settingsNow()?.main.requiretls === true) offerRequireTls(connection)
  next()
}

export function read_mail(next: Next, connection: Connection): void {
  answer(next, readMail(connection, settingsNow()?.main.requiretls === true))
}

export function read_rcpt(next: Next, connection: Connection): void {
  answer(next, readRcpt(connection))
}

export function refuse_to_queue_elsewhere(next: Next, connection: Connection): void {
  answer(next, refuseToQueueElsewhere(connection, settingsNow()?.main.finalDelivery ?? []))
}

function answer(next: Next, refusal: Dsn | undefined): void {
  if (refusal === undefined) next()
  else next(constants.deny, refusal)
}

function settingsNow(): Settings | undefined {
  return engine?.settings()
}

export function shutdown(): void {
  engine?.close()
}
