/**
 * The Haraka plugin "outbound-tls/plugins/report": tells the domains that ask for it how TLS with their mail hosts went (RFC 8460).
 *
 * @module
 */

import constants from 'haraka-constants'
import type { HMailItem, Next, Plugin } from '../runtime/haraka'
import { isTlsReport } from '../lib/requiretls'
import { beginPlugin, isWorker, refuseToLoad, type HarakaServer } from '../runtime/plugin'
import { noteBounced, noteDeferred, noteDelivered } from './queue'
import { createReportService, type ReportService } from './service'

/** One process has one Haraka, and it loads a plugin once. */
let service: ReportService | undefined

export function register(this: Plugin): void {
  beginPlugin(this)
  service = createReportService(this)
  refuseToLoad(this, service.errors)

  this.register_hook('init_master', 'start')
  this.register_hook('init_child', 'start')
  // Before others, who may answer: the report's fate is known here, and nowhere else
  this.register_hook('delivered', 'note_delivered', -90)
  this.register_hook('deferred', 'note_deferred', -90)
  this.register_hook('bounce', 'note_bounced', -90)
}

export function start(next: Next, server: HarakaServer): void {
  if (isWorker(server)) service?.start()
  next()
}

export function note_delivered(next: Next, hmail: HMailItem, facts: readonly unknown[]): void {
  if (service !== undefined) noteDelivered(service, hmail, facts)
  next()
}

export function note_deferred(
  next: Next,
  hmail: HMailItem,
  facts: { readonly delay: number; readonly err: unknown },
): void {
  const retryFor = service?.retryFor()
  if (service === undefined || retryFor === undefined) return next()
  const isOver = noteDeferred(service, hmail, facts, { now: Date.now(), retryFor })
  next(isOver ? constants.ok : constants.cont) // Haraka removes what is answered OK
}

/** No human is told of a report that is lost: none asked for it here. */
export function note_bounced(next: Next, hmail: HMailItem, error: unknown): void {
  if (service !== undefined) noteBounced(service, hmail, error)
  next(isTlsReport(hmail.todo?.notes) ? constants.ok : constants.cont)
}

export function shutdown(): void {
  service?.close()
}
