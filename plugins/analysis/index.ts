/**
 * The Haraka plugin "outbound-tls/plugins/analysis": TLS reports that others send (RFC 8460), read as they arrive.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { Connection, HttpServer, Next, Plugin, Transaction } from '../runtime/haraka'
import { matchesAddress } from '../lib/settings'
import { beginPlugin, isWorker, refuseToLoad, type HarakaServer } from '../runtime/plugin'
import { createCaptures } from './capture'
import { setErrorHeader } from './error-header'
import { createIntake } from './intake'
import { read } from './reading'
import { createAnalysisService, type AnalysisService, type AnalysisConfiguration } from './service'

/** One process has one Haraka, and it loads a plugin once. */
let service: AnalysisService | undefined
const captures = createCaptures()
/** Messages to report addresses, with the configuration that said so. */
const watched = new WeakMap<Transaction, AnalysisConfiguration>()

/** A report in base64, with its header, its text, and more of them. */
const MESSAGE_FACTOR = 2
/** How many of the largest messages are held at once. */
const TOGETHER = 2

export function register(this: Plugin): void {
  beginPlugin(this)
  service = createAnalysisService(this)
  refuseToLoad(this, service.errors)

  this.register_hook('init_master', 'start')
  this.register_hook('init_child', 'start')
  this.register_hook('data', 'watch_message')
  this.register_hook('queue', 'read_reports', -100) // before the plugin that takes the message
  this.register_hook('queue_outbound', 'read_reports', -100) // instead of queue, for relaying clients
  this.register_hook('reset_transaction', 'forget_message')
  this.register_hook('init_http', 'receive_posts', -100) // before the pages, which are for those who may see them
}

export function start(next: Next, server: HarakaServer): void {
  if (isWorker(server)) service?.start()
  next()
}

export function watch_message(next: Next, { transaction }: Connection): void {
  const configuration = service?.configuration()
  if (transaction === null || configuration === undefined) return next()
  const { maxSize } = configuration.analysis
  if (transaction.rcpt_to.some((recipient) => isReportAddress(configuration, recipient))) {
    const message = maxSize * MESSAGE_FACTOR
    captures.begin(transaction, { message, together: message * TOGETHER })
    watched.set(transaction, configuration)
  }
  next()
}

export function read_reports(this: Plugin, next: Next, { transaction }: Connection): void {
  if (transaction === null || service === undefined) return next()
  const [configuration, captured] = [watched.get(transaction), captures.take(transaction)]
  if (configuration === undefined || captured === undefined) return next()
  const { forward } = configuration.analysis
  const swallows = !forward && transaction.rcpt_to.every((recipient) => isReportAddress(configuration, recipient))
  void read(service.readerOf(configuration), captured, transaction.uuid, swallows).then(({ problem, isDone }) => {
    captures.release(transaction)
    if (swallows && isDone) return next(constants.ok, 'TLS report received')
    setErrorHeader(transaction, problem)
    next()
  })
}

export function receive_posts(next: Next, { http }: HttpServer): void {
  const receive = createIntake(() => {
    const configuration = service?.configuration()
    if (service === undefined || configuration?.analysis.https !== true) return undefined
    const { readerOf } = service
    const { endpoint } = configuration
    return endpoint === undefined ? undefined : { path: endpoint, reader: () => readerOf(configuration) }
  })
  http.app.use(receive)
  next()
}

export function forget_message(next: Next, { transaction }: Connection): void {
  if (transaction !== null) captures.release(transaction)
  next()
}

export function shutdown(): void {
  service?.close()
}

function isReportAddress({ analysis }: AnalysisConfiguration, { user, host }: Transaction['rcpt_to'][number]): boolean {
  return matchesAddress(analysis.addresses, `${user ?? ''}@${host ?? ''}`)
}
