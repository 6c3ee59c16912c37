/**
 * The Haraka plugin "outbound-tls/plugins/report": tells the domains that ask for it how TLS with their mail hosts went (RFC 8460).
 *
 * @module
 */

import constants from 'haraka-constants'
import type { HMailItem, Next, Plugin } from '../haraka'
import { isTlsReport } from '../lib/message'
import { refuseToLoad, usePackageConfig } from '../main-settings'
import { isWorker, type Server } from '../processes'
import { checkHaraka, checkNode } from '../versions'
import { noteBounced, noteDeferred, noteDelivered } from './queue'
import { createReporting, type Reporting } from './reporting'

/** One process has one Haraka, and it loads a plugin once. */
let reporting: Reporting | undefined

export function register(this: Plugin): void {
  checkNode(process.versions.node)
  checkHaraka(this.haraka_require('package.json').version)
  usePackageConfig(this)
  this.timeout = 0 // nothing here waits for anything, so nothing can run out of time
  reporting = createReporting(this)
  refuseToLoad(this, reporting.errors)

  this.register_hook('init_master', 'start')
  this.register_hook('init_child', 'start')
  // Before others, who may answer: the report's fate is known here, and nowhere else
  this.register_hook('delivered', 'note_delivered', -90)
  this.register_hook('deferred', 'note_deferred', -90)
  this.register_hook('bounce', 'note_bounced', -90)
}

export function start(next: Next, server: Server): void {
  if (isWorker(server)) reporting?.start()
  next()
}

export function note_delivered(next: Next, hmail: HMailItem, facts: readonly unknown[]): void {
  if (reporting !== undefined) noteDelivered(reporting, hmail, facts)
  next()
}

export function note_deferred(
  next: Next,
  hmail: HMailItem,
  facts: { readonly delay: number; readonly err: unknown },
): void {
  const retryFor = reporting?.retryFor()
  if (reporting === undefined || retryFor === undefined) return next()
  const isOver = noteDeferred(reporting, hmail, facts, { now: Date.now(), retryFor })
  next(isOver ? constants.ok : constants.cont) // Haraka removes what is answered OK
}

/** Of a report that is lost no human is told: nobody asked for it here. */
export function note_bounced(next: Next, hmail: HMailItem, error: unknown): void {
  if (reporting !== undefined) noteBounced(reporting, hmail, error)
  next(isTlsReport(hmail.todo?.notes) ? constants.ok : constants.cont)
}

export function shutdown(): void {
  reporting?.close()
}
