/**
 * Haraka's own settings that say something about outbound TLS, in outbound.ini and tls.ini.
 *
 * @module
 */

import { BlockList, isIP } from 'node:net'
import { normalName, readDomainName } from './names'

/** What the plugin reads from Haraka: the effective values, after Haraka's own defaults. */
export interface HarakaTlsInput {
  /** outbound.ini `enable_tls` */
  readonly enableTls: boolean
  /** tls.ini `[outbound] force_tls_hosts[]` */
  readonly forceTlsHosts: readonly string[]
  /** tls.ini `[outbound] no_tls_hosts[]` */
  readonly noTlsHosts: readonly string[]
  /** tls.ini `[redis] disable_for_failed_hosts` */
  readonly disableForFailedHosts: boolean
  /** outbound.ini */
  readonly inetPrefer: 'v4' | 'v6' | 'default'
  /** outbound.ini */
  readonly localMxOk: boolean
  /** tls.ini */
  readonly mutualTls: boolean
}

/** The same, ready to be matched, with the log lines that an administrator should see once at load. */
export interface HarakaTls {
  readonly enableTls: boolean
  readonly forceTls: HostList
  readonly noTls: HostList
  readonly inetPrefer: 'v4' | 'v6' | 'default'
  readonly localMxOk: boolean
  readonly mutualTls: boolean
  readonly warnings: readonly string[]
}

/** Host names, recipient domains, addresses and networks: what Haraka takes in its host lists. */
export interface HostList {
  readonly names: ReadonlySet<string>
  readonly networks: BlockList
}

/** Haraka's defaults. */
export const HARAKA_DEFAULTS: HarakaTlsInput = {
  enableTls: true,
  forceTlsHosts: [],
  noTlsHosts: [],
  disableForFailedHosts: false,
  inetPrefer: 'default',
  localMxOk: false,
  mutualTls: false,
}

/** Compiles Haraka's settings. What Haraka would ignore without a word is ignored with a warning. */
export function readHarakaTls(input: HarakaTlsInput): HarakaTls {
  const force = readHostList('force_tls_hosts', input.forceTlsHosts)
  const none = readHostList('no_tls_hosts', input.noTlsHosts)
  const warnings = [...force.warnings, ...none.warnings]
  if (!input.enableTls) {
    warnings.push('outbound.ini enable_tls = false: taken as starttls = disable in outbound-tls.ini [main]')
  }
  if (input.disableForFailedHosts) {
    warnings.push(
      'tls.ini [redis] disable_for_failed_hosts = true: has no effect on outbound mail, ' +
        'a failed handshake never turns TLS off for later messages; see relax-after-tls-failure and plaintext-fallback',
    )
  }
  const { enableTls, inetPrefer, localMxOk, mutualTls } = input
  return { enableTls, forceTls: force.list, noTls: none.list, inetPrefer, localMxOk, mutualTls, warnings }
}

function readHostList(
  key: string,
  entries: unknown,
): { readonly list: HostList; readonly warnings: readonly string[] } {
  const names = new Set<string>()
  const networks = new BlockList()
  const warnings: string[] = []
  for (const entry of entriesOf(entries)) {
    const name = readDomainName(entry)
    if (addNetwork(networks, entry)) continue
    if (name !== undefined) names.add(name)
    else warnings.push(`tls.ini [outbound] ${key}[] = ${JSON.stringify(entry.slice(0, 120))}: matches no host`)
  }
  return { list: { names, networks }, warnings }
}

/** Over its versions, core has had arrays, single values and whole sections here, and numbers within them. */
function entriesOf(list: unknown): readonly string[] {
  if (Array.isArray(list))
    return list.filter((entry) => typeof entry === 'string' || typeof entry === 'number').map(String)
  if (typeof list === 'string') return [list]
  return typeof list === 'object' && list !== null ? Object.keys(list) : []
}

function addNetwork(networks: BlockList, entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0 || address.includes('%')) return false
  const bits = version === 4 ? 32 : 128
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity
  if (length > bits) return false
  networks.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
  return true
}

/**
 * Whether a list names a host, as Haraka matches: by its name, by the recipient domain, or by an address.
 *
 * @param names - the host's name (or address, where a route gives no name) and the recipient domain, in any spelling
 */
export function matchesHostList(list: HostList, names: readonly string[], addresses: readonly string[] = []): boolean {
  if (names.some((name) => list.names.has(normalName(name)))) return true
  return [...names, ...addresses].some((address) => isInNetworks(list.networks, address))
}

function isInNetworks(networks: BlockList, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && !address.includes('%') && networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
