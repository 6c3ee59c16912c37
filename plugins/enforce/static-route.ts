/**
 * Hosts that another plugin named: smtp_forward, a relay, recipient-routes, lmtp, …
 *
 * @module
 */

import { BlockList, isIP } from 'node:net'
import type { HarakaMx } from '../haraka'
import type { StaticHost } from '../lib/delivery'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** LMTP that does not leave this machine: a Unix socket, or a loopback address. */
export function isLeftAlone({ path, using_lmtp, exchange = '' }: HarakaMx): boolean {
  if (path !== undefined) return true
  return using_lmtp === true && isLoopback(exchange)
}

function isLoopback(host: string): boolean {
  const version = isIP(host)
  if (version === 0) return host === 'localhost'
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** What is to be planned for a host of a static route. Its own name is to be proved, or the one that goes with its address. */
export function staticHostOf(mx: HarakaMx): StaticHost {
  const { exchange = '', from_dns, using_lmtp, port, auth_user, auth_pass } = mx
  const hasName = isIP(exchange) !== 0 && from_dns !== undefined && isIP(from_dns) === 0
  return {
    name: hasName ? from_dns : exchange,
    address: hasName ? exchange : undefined,
    port: port ?? (using_lmtp === true ? 24 : 25),
    credentials: auth_user !== undefined && auth_pass !== undefined,
  }
}

/** As core understands it: another plugin says that the domain takes no mail (RFC 7505). */
export function isNullMx(mxs: readonly HarakaMx[]): boolean {
  const [mx] = mxs
  return mxs.length === 1 && mx?.exchange === '' && mx.path === undefined
}
