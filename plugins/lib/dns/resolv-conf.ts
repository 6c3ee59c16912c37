/**
 * Which name servers to ask, and whether their AD bit may be believed (RFC 7672 §2.1.1, D4).
 *
 * @module
 */

import { isIP, isIPv6 } from 'node:net'

/** A recursive name server. */
export interface NameServer {
  /** IPv4 or IPv6, the latter with its scope where it has one: `fe80::1%eth0` */
  readonly address: string
  readonly port: number
}

/** What resolv.conf says, as far as it concerns us. */
export interface ResolvConf {
  readonly servers: NameServer[]
  readonly trustAd: boolean
  /** milliseconds; absent where the file does not say */
  readonly timeout?: number
  readonly attempts?: number
}

const DNS_PORT = 53
const MAX_SERVERS = 3 // MAXNS of resolv.conf(5)
const MAX_TIMEOUT = 30 // seconds, RES_MAXRETRANS
const MAX_ATTEMPTS = 5 // RES_MAXRETRY

/** Reads /etc/resolv.conf as resolv.conf(5) says: three servers at most, the local machine where none is named. */
export function readResolvConf(text: string): ResolvConf {
  const lines = text.split(/\r?\n/).filter((line) => !/^[#;]/.test(line))
  const wordsAfter = (keyword: string): string[][] =>
    lines.map((line) => line.trim().split(/\s+/)).filter((words) => words[0] === keyword)

  const servers = wordsAfter('nameserver')
    .map(([, address = '']) => address)
    .filter((address) => isIP(address) !== 0)
    .slice(0, MAX_SERVERS)
    .map((address) => ({ address, port: DNS_PORT }))
  const options = wordsAfter('options').flat()
  const timeout = readNumber(options, 'timeout', MAX_TIMEOUT)
  const attempts = readNumber(options, 'attempts', MAX_ATTEMPTS)
  return {
    servers: servers.length > 0 ? servers : [{ address: '127.0.0.1', port: DNS_PORT }],
    trustAd: options.includes('trust-ad'),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    ...(attempts === undefined ? {} : { attempts }),
  }
}

function readNumber(options: readonly string[], key: string, max: number): number | undefined {
  const digits = options.map((option) => new RegExp(`^${key}:(\\d{1,9})$`).exec(option)?.[1]).findLast(Boolean)
  return digits === undefined ? undefined : Math.min(Math.max(Number(digits), 1), max)
}

/** Reads `address`, `address:port` or `[IPv6]:port`; undefined where it is none of these. */
export function parseServer(text: string): NameServer | undefined {
  if (isIP(text) !== 0) return { address: text, port: DNS_PORT }
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = v6 ?? v4 ?? ''
  const port = digits === undefined ? DNS_PORT : Number(digits)
  if (port < 1 || port > 65535) return undefined
  if (v6 !== undefined ? !isIPv6(address) : isIP(address) !== 4) return undefined
  return { address, port }
}

/** `127.0.0.1:53`, `[::1]:53`: for people. */
export function describeServer({ address, port }: NameServer): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

/**
 * Whether the AD bit of these servers is believed, and why (D4).
 *
 * `auto` believes those that no other host can speak for: loopback addresses, though not Docker's 127.0.0.11, which forwards
 * to wherever its host points; or those of a resolv.conf whose administrator wrote `options trust-ad`.
 *
 * @param setting - `trust-ad` of the configuration
 * @param resolvConfTrustAd - of the resolv.conf that named `servers`; false where they come from elsewhere
 */
export function believesAd(
  setting: 'auto' | boolean,
  servers: readonly NameServer[],
  resolvConfTrustAd: boolean,
): { trust: boolean; because: string } {
  if (setting !== 'auto') return { trust: setting, because: `trust-ad = ${setting}` }
  if (resolvConfTrustAd) return { trust: true, because: 'resolv.conf says "options trust-ad"' }
  const distant = servers.find(({ address }) => !isTrustedLoopback(address))
  if (distant) return { trust: false, because: `${describeServer(distant)} ${whyDistant(distant.address)}` }
  if (servers.length === 0) return { trust: false, because: 'there is no resolver' }
  return { trust: true, because: 'every resolver is on this machine' }
}

const DOCKER = '127.0.0.11'

function isTrustedLoopback(address: string): boolean {
  const v4 = address.toLowerCase().replace(/^::ffff:/, '')
  return v4 !== DOCKER && (v4 === '::1' || (isIP(v4) === 4 && v4.startsWith('127.')))
}

function whyDistant(address: string): string {
  return address.endsWith(DOCKER) ? "is Docker's, which only forwards" : 'is not on this machine'
}
