/**
 * Where evidence comes from, as the settings say: name servers and policy hosts.
 *
 * @module
 */

import {
  believesAd,
  createResolver,
  describeServer,
  readResolvConf,
  type Resolver,
  type ResolverOptions,
  type NameServer,
} from '../dns'
import { createPolicyFetch, type FetchPolicy } from '../mta-sts'
import type { DnsSettings, Settings } from '../settings'

/** Signed names that a validating resolver answers with AD, unless `self-test` names others. */
const SELF_TEST = ['org', 'nlnetlabs.nl']

/** Which name servers are asked, and whether their word that an answer is authentic counts (D4). */
export interface NameServers {
  readonly servers: readonly NameServer[]
  /** they were written in [dns], not taken from resolv.conf */
  readonly explicit: boolean
  readonly trustAd: boolean
  /** why their AD bit is believed, or not */
  readonly because: string
  /** signed names to test them with */
  readonly selfTestNames: readonly string[]
}

/** @param resolvConf - the text of /etc/resolv.conf; empty where there is none */
export function nameServersOf(dns: DnsSettings, resolvConf: string): NameServers {
  const system = readResolvConf(resolvConf)
  const explicit = dns.resolvers !== undefined
  const servers = dns.resolvers ?? system.servers
  // what resolv.conf says of its own servers says nothing of an explicit list
  const { trust: trustAd, because } = believesAd(dns.trustAd, servers, !explicit && system.trustAd)
  return { servers, explicit, trustAd, because, selfTestNames: dns.selfTest ?? SELF_TEST }
}

/** A line about them, for the log and for people. */
export function describeNameServers({ servers, trustAd, because }: NameServers): string {
  const names = servers.map(describeServer).join(', ')
  return `DNS: ${names}; their AD bit is ${trustAd ? 'believed' : 'not believed, so DANE is unavailable'}: ${because}`
}

/** @param watch - who wants to know what is asked */
export function createDnsResolver(
  dns: DnsSettings,
  { servers, trustAd, selfTestNames }: NameServers,
  watch: Pick<ResolverOptions, 'onQuery'> = {},
): Resolver {
  const { timeout, attempts, cacheSize } = dns
  return createResolver({ servers, trustAd, timeout, attempts, cacheSize, selfTestNames, ...watch })
}

/** @param readTrustAnchors - gives the PEM text of a `ca-file`; throws where it cannot be read */
export function createStsFetch(
  { main, mtaSts }: Settings,
  { lookup }: Pick<Resolver, 'lookup'>,
  readTrustAnchors: (file: string) => string,
): FetchPolicy {
  return createPolicyFetch({
    port: mtaSts.port,
    extraRoots: main.caFile === undefined ? [] : [readTrustAnchors(main.caFile)],
    timeout: main.mtaStsTimeout,
    allowPrivateAddresses: mtaSts.allowPrivateAddresses,
    lookup,
  })
}
