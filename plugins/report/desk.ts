/**
 * One configuration's reporter, and what it works with: the store, the resolver, the carrier. Nothing is opened before it is needed.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Plugin } from '../haraka'
import { createDnsResolver, nameServersOf } from '../lib/delivery'
import type { Lookup } from '../lib/dns'
import { createHttpsClient, type HttpsClient } from '../lib/https'
import { createReporter, type Reporter } from '../lib/reports'
import type { Done } from '../lib/store'
import { recordName } from '../lib/tlsrpt'
import { readTrustAnchors } from '../main-settings'
import { readResolvConfText } from '../resolv-conf'
import { createLedger, createOutcomes, groundOf } from '../stores'
import { createCarrier } from './carrier'
import type { Configuration } from './configuration'
import { countAttempts, countEnds } from './counting'
import type { Means } from './means'

/** For one POST, from the look-up of its host to the answer: milliseconds. */
const POST_TIMEOUT = 60_000

export interface Desk {
  readonly reporter: Reporter
  /** Ends what is under way, gives the lease back, and closes the store. */
  readonly close: () => Promise<void>
}

/** The parts of a configuration that a desk is made of: while they are the same, so is the desk. */
export function deskParts({ main: { store, dns, main }, report }: Configuration): unknown {
  return [store, dns, main.caFile, report.allowPrivateAddresses]
}

export function openDesk(plugin: Plugin, configuration: Configuration, means: () => Means | undefined): Desk {
  const { main } = configuration
  const ground = groundOf(plugin)
  const store = createOutcomes(main.store, ground)
  const ledger = countEnds(createLedger(main.store, ground))
  const resolver = createDnsResolver(main.dns, nameServersOf(main.dns, readResolvConfText()))
  const ask = httpsClient(plugin, configuration, resolver.lookup)
  const reporter = createReporter({
    store,
    ledger,
    transmit: countAttempts(createCarrier({ plugin, ask, means })),
    lookupTlsrpt: (domain) => lookupTlsrpt(resolver.lookup, domain),
    settings: () => means()?.reporter,
    retention: () => main.store.retention,
    holder: `${hostname()} ${process.pid} ${unique()}`,
    clock: () => performance.now(),
    random: Math.random,
    unique,
    log: ground.log,
  })
  return {
    reporter,
    close: async () => {
      await reporter.stop()
      ledger.end()
      store.end()
      resolver.close()
    },
  }
}

function unique(): string {
  return randomBytes(8).toString('hex')
}

/** Made when the first report goes by HTTPS: all roots have to be read for it. */
function httpsClient(plugin: Plugin, { main, report }: Configuration, lookup: Lookup): HttpsClient {
  const { caFile } = main.main
  let client: HttpsClient | undefined
  const make = (): HttpsClient =>
    createHttpsClient({
      extraRoots: caFile === undefined ? [] : [readTrustAnchors(plugin, caFile)],
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
  const answer = await lookup(recordName(domain), 'TXT')
  if (answer.status === 'failed') return { ok: false, text: answer.failure.text }
  return { ok: true, value: answer.status === 'found' ? answer.records : [] }
}
