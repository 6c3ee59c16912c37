/**
 * What one configuration comes to: resolvers for DNS and MTA-STS, and TLS contexts. A delivery works with one of these
 * from its beginning to its end.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from '../haraka'
import {
  createDnsResolver,
  createStsFetch,
  describeNameServers,
  nameServersOf,
  type TlsOptionsFor,
} from '../lib/delivery'
import type { Resolver } from '../lib/dns'
import { createStsResolver, type FetchPolicy, type StsResolver } from '../lib/mta-sts'
import type { Settings } from '../lib/settings'
import { readTrustAnchors } from '../main-settings'
import { readResolvConfText } from '../resolv-conf'
import { notes } from '../monitoring'
import type { Subscriber } from '../runtime/events'
import { createPolicyCache, groundOf } from '../stores'
import { outboundTlsOptions } from './client-tls'
import type { HarakaParts } from './configuration'

/** Something that is closed when the last of its users has released it. Its maker is the first. */
export interface Shared {
  readonly use: () => void
  readonly release: () => void
}

/** What one attempt works with, from its beginning to its end: it uses it, and releases it. */
export interface Snapshot extends Shared {
  readonly settings: Settings
  readonly resolver: Resolver
  /** MX hosts whose lookups keep messages waiting */
  readonly givenUp: Set<string>
  readonly sts: StsResolver
  readonly tlsOptionsFor: TlsOptionsFor
  /** Several snapshots may have them in common. */
  readonly closing: { readonly resolver: Shared; readonly sts: Shared }
}

/** @param before - what is configured as it was there goes on, with all that it has in its caches */
export function createSnapshot(
  plugin: Plugin,
  settings: Settings,
  parts: HarakaParts,
  emit: Subscriber,
  before?: Snapshot,
): Snapshot {
  const keepsDns = before !== undefined && isDeepStrictEqual(before.settings.dns, settings.dns)
  const resolver = keepsDns ? before.resolver : resolverFor(plugin, settings)
  const keepsSts = keepsDns && isDeepStrictEqual(stsParts(before.settings), stsParts(settings))
  const sts = keepsSts ? before.sts : stsResolverFor(plugin, settings, resolver, emit)
  const resolverUse = keepsDns ? alsoUsed(before.closing.resolver) : createShared(() => resolver.close())
  const stsUse = keepsSts ? alsoUsed(before.closing.sts) : createShared(() => void sts.close())
  return {
    settings,
    resolver,
    givenUp: keepsDns ? before.givenUp : new Set(),
    sts,
    tlsOptionsFor: outboundTlsOptions(plugin, parts.tls),
    closing: { resolver: resolverUse, sts: stsUse },
    ...createShared(() => {
      stsUse.release() // first: it asks the resolver
      resolverUse.release()
    }),
  }
}

/** @param close - called once, behind the last release */
export function createShared(close: () => void): Shared {
  let users = 1
  return {
    use: () => {
      users += 1
    },
    release: () => {
      users -= 1
      if (users === 0) close()
    },
  }
}

function alsoUsed(shared: Shared): Shared {
  shared.use()
  return shared
}

/** Begins what goes on in the background. */
export function startSnapshot({ sts, settings }: Snapshot): void {
  const isUsed = [settings.main, ...settings.rules.map(({ sets }) => sets)].some(
    ({ mtaSts }) => mtaSts !== undefined && mtaSts !== 'disable',
  )
  if (isUsed) sts.start()
}

function resolverFor(plugin: Plugin, { dns }: Settings): Resolver {
  const nameServers = nameServersOf(dns, readResolvConfText())
  const said = describeNameServers(nameServers)
  if (nameServers.trustAd) plugin.loginfo(said)
  else plugin.logwarn(said)
  return createDnsResolver(dns, nameServers, {
    onQuery: ({ type, result, milliseconds }) => notes.time('dnsQueries', { type, result }, milliseconds),
  })
}

/** What a policy's way to us depends on. */
function stsParts({ main, mtaSts, store }: Settings): unknown {
  return [mtaSts, store, main.mtaStsTimeout, main.caFile]
}

function stsResolverFor(plugin: Plugin, settings: Settings, resolver: Resolver, emit: Subscriber): StsResolver {
  const { main, mtaSts, store } = settings
  const ground = groundOf(plugin)
  return createStsResolver({
    lookup: resolver.lookup,
    fetch: timed(createStsFetch(settings, resolver, (file) => readTrustAnchors(plugin, file))),
    cache: createPolicyCache(store, ground),
    log: ground.log,
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
    if (signal?.aborted !== true) notes.time('stsFetches', { result }, performance.now() - began)
    return fetched
  }
}
