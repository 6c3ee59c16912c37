/**
 * What one configuration comes to: resolvers for DNS and MTA-STS, and TLS contexts. A delivery works with one of these
 * from its beginning to its end.
 *
 * @module
 */

import type { Plugin } from '../runtime/haraka'
import { createStsFetch, type TlsOptionsFor } from '../lib/delivery'
import type { Resolver } from '../lib/dns'
import { createStsResolver, type FetchPolicy, type StsResolver } from '../lib/mta-sts'
import type { Settings } from '../lib/settings'
import { readTrustAnchors } from '../runtime/config'
import type { CoreSettings } from '../runtime/core-settings'
import type { Subscriber } from '../runtime/events'
import { monitoring } from '../runtime/monitoring'
import { createSharing, useDns } from '../runtime/runtime'
import { createPolicyCache, storeContextOf } from '../runtime/stores'
import { outboundTlsOptions } from './client-tls'

/** What one attempt works with, from its beginning to its end: it uses it, and releases it. */
export interface Snapshot {
  readonly settings: Settings
  readonly resolver: Resolver
  /** MX hosts whose lookups keep messages waiting */
  readonly givenUp: Set<string>
  readonly sts: StsResolver
  readonly tlsOptionsFor: TlsOptionsFor
  readonly use: () => void
  readonly release: () => void
}

const shareSts = createSharing<StsResolver>((sts) => void sts.close())

/** Its maker is the first of its users. */
export function createSnapshot(plugin: Plugin, settings: Settings, core: CoreSettings, emit: Subscriber): Snapshot {
  const dns = useDns(plugin, settings.dns)
  const { resolver, givenUp } = dns.thing
  const sts = shareSts(stsParts(settings), () => stsResolverFor(plugin, settings, resolver, emit))
  let users = 1
  return {
    ...{ settings, resolver, givenUp, sts: sts.thing },
    tlsOptionsFor: outboundTlsOptions(plugin, core.tls),
    use: () => {
      users++
    },
    release: () => {
      if (--users > 0) return
      sts.release() // first: it asks the resolver
      dns.release()
    },
  }
}

/** Begins what goes on in the background. */
export function startSnapshot({ sts, settings }: Snapshot): void {
  const isUsed = [settings.main, ...settings.rules.map(({ sets }) => sets)].some(
    ({ mtaSts }) => mtaSts !== undefined && mtaSts !== 'disable',
  )
  if (isUsed) sts.start()
}

/** What a policy's way to us depends on. */
function stsParts({ main, dns, mtaSts, store }: Settings): unknown {
  return [dns, mtaSts, store, main.mtaStsTimeout, main.caFile]
}

function stsResolverFor(plugin: Plugin, settings: Settings, resolver: Resolver, emit: Subscriber): StsResolver {
  const { main, mtaSts, store } = settings
  const context = storeContextOf(plugin)
  return createStsResolver({
    lookup: resolver.lookup,
    fetch: timed(createStsFetch(settings, resolver, (file) => readTrustAnchors(plugin.config, file))),
    cache: createPolicyCache(store, context),
    log: context.log,
    refresh: mtaSts.refresh,
    timeout: main.mtaStsTimeout,
    onFetchFailure: (domain, failure) => emit({ type: 'sts-fetch-failed', domain, failure }),
  })
}

function timed(fetch: FetchPolicy): FetchPolicy {
  return async (domain, signal) => {
    const began = performance.now()
    const fetched = await fetch(domain, signal)
    const result = fetched.ok ? 'fetched' : fetched.failure.type
    if (signal?.aborted !== true) monitoring.time('stsFetches', { result }, performance.now() - began)
    return fetched
  }
}
