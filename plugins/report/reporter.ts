/**
 * One configuration's reporter, and what it works with: the store, the resolver, the carrier.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Lookup } from '../lib/dns'
import { createHttpsClient, type HttpsClient } from '../lib/https'
import { createReporter, type QueueEvents } from '../lib/tlsrpt/sending'
import type { ReportSettings, Settings } from '../lib/settings'
import type { Done } from '../lib/store'
import { tlsrptRecordName } from '../lib/tlsrpt/format'
import { readTrustAnchors } from '../runtime/config'
import type { Plugin } from '../runtime/haraka'
import { useDns } from '../runtime/runtime'
import { createLedger, createOutcomes, storeContextOf } from '../runtime/stores'
import { createCarrier } from './carrier'
import { countAttempts, countEnds } from './counting'
import type { SenderIdentity } from './sender-identity'

/** For one POST, from the look-up of its host to the answer: milliseconds. */
const POST_TIMEOUT = 60_000

export interface ReporterConfiguration {
  readonly main: Settings
  readonly report: ReportSettings
}

export interface RunningReporter {
  readonly start: () => void
  readonly news: QueueEvents
  /** Ends what is under way, gives the lease back, and closes the store. */
  readonly close: () => Promise<void>
}

/** @param identity - as it is now; undefined: something is missing */
export function startReporter(
  plugin: Plugin,
  configuration: ReporterConfiguration,
  identity: () => SenderIdentity | undefined,
): RunningReporter {
  const { main } = configuration
  const context = storeContextOf(plugin)
  const store = createOutcomes(main.store, context)
  const ledger = countEnds(createLedger(main.store, context))
  const dns = useDns(plugin, main.dns)
  const { lookup } = dns.thing.resolver
  const ask = httpsClient(plugin, configuration, lookup)
  const reporter = createReporter({
    store,
    ledger,
    transmit: countAttempts(createCarrier({ plugin, ask, identity })),
    lookupTlsrpt: (domain) => lookupTlsrpt(lookup, domain),
    settings: () => identity()?.reporter,
    retention: () => main.store.retention,
    holder: `${hostname()} ${process.pid} ${unique()}`,
    clock: () => performance.now(),
    random: Math.random,
    unique,
    log: context.log,
  })
  return {
    start: reporter.start,
    news: reporter,
    close: async () => {
      await reporter.stop()
      ledger.end()
      store.end()
      dns.release()
    },
  }
}

function unique(): string {
  return randomBytes(8).toString('hex')
}

/** Made when the first report goes by HTTPS: all roots have to be read for it. */
function httpsClient(plugin: Plugin, { main, report }: ReporterConfiguration, lookup: Lookup): HttpsClient {
  const { caFile } = main.main
  let client: HttpsClient | undefined
  const make = (): HttpsClient =>
    createHttpsClient({
      extraRoots: caFile === undefined ? [] : [readTrustAnchors(plugin.config, caFile)],
      timeout: POST_TIMEOUT,
      allowPrivateAddresses: report.allowPrivateAddresses,
      lookup,
    })
  return (...asked) => {
    client ??= make()
    return client(...asked)
  }
}

/** A look-up that failed is not the same as no record. */
async function lookupTlsrpt(lookup: Lookup, domain: string): Promise<Done<readonly string[]>> {
  const answer = await lookup(tlsrptRecordName(domain), 'TXT')
  if (answer.status === 'failed') return { ok: false, text: answer.failure.text }
  return { ok: true, value: answer.status === 'found' ? answer.records : [] }
}
