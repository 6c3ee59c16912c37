/**
 * Hosts that another plugin named: smtp_forward, a relay, recipient-routes, lmtp, …
 *
 * Core tests most of what such an answer says for truthiness. It is read once, in the same way, so that nothing here is
 * decided by a property that core takes for something else, or for nothing.
 *
 * @module
 */

import { BlockList, isIP } from 'node:net'
import type { HarakaMx } from '../runtime/haraka'
import type { StaticHost } from '../lib/delivery'

/** A host of a route, read: what is not there is undefined. */
export interface RouteHost extends HarakaMx {
  readonly port: number
}

const TEXTS = ['exchange', 'path', 'bind', 'bind_helo', 'auth_user', 'auth_pass', 'auth_type', 'from_dns'] as const

/**
 * Reads a host as core understands it: what is falsy is not there, whatever is truthy means LMTP.
 *
 * @param mx - of core's own class; its properties are what another plugin put there
 * @returns why it cannot be used: core would end Haraka over it, or connect to somewhere else
 */
export function readRouteHost(mx: Readonly<Record<keyof HarakaMx, unknown>>): RouteHost | string {
  const host: HarakaMx = {}
  for (const key of TEXTS) {
    const value = mx[key]
    if (!isThere(value)) continue
    if (typeof value !== 'string' && (typeof value !== 'number' || key === 'path')) return `its ${key} is not a text`
    host[key] = String(value)
  }
  if (host.exchange === undefined && host.path === undefined) return 'it names no host'
  if (isThere(mx.using_lmtp)) host.using_lmtp = true
  const port = isThere(mx.port) ? readPort(mx.port) : host.using_lmtp === true ? 24 : 25
  return port === undefined ? 'its port is not a port' : { ...host, port }
}

function isThere(value: unknown): boolean {
  return Boolean(value)
}

/** As net.connect takes it: a number, or a text that is one. */
function readPort(port: unknown): number | undefined {
  const number = typeof port === 'number' || typeof port === 'string' ? Number(port) : NaN
  return Number.isInteger(number) && number > 0 && number <= 65_535 ? number : undefined
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** LMTP that does not leave this machine: a Unix socket, or a loopback address. */
export function isLeftAlone({ path, using_lmtp, exchange = '' }: RouteHost): boolean {
  if (path !== undefined) return true
  return using_lmtp === true && isLoopback(exchange)
}

function isLoopback(host: string): boolean {
  const version = isIP(host)
  if (version === 0) return host === 'localhost'
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** What is to be planned for a host of a static route. Its own name is to be proved, or the one that goes with its address. */
export function staticHostOf({ exchange = '', from_dns, port, auth_user, auth_pass }: RouteHost): StaticHost {
  const hasName = isIP(exchange) !== 0 && from_dns !== undefined && isIP(from_dns) === 0
  return {
    name: hasName ? from_dns : exchange,
    address: hasName ? exchange : undefined,
    port,
    credentials: auth_user !== undefined && auth_pass !== undefined,
  }
}

/** As core understands it: another plugin says that the domain takes no mail (RFC 7505). */
export function isNullMx(mxs: readonly HarakaMx[]): boolean {
  const [mx] = mxs
  return mxs.length === 1 && mx?.exchange === '' && !isThere(mx.path)
}
