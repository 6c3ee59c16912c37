/**
 * IP addresses in the one form that a report has for each of them (RFC 8460 §4.4, RFC 5952).
 *
 * @module
 */

import { isIP, isIPv4, SocketAddress } from 'node:net'

/**
 * The canonical text of an address: IPv6 by RFC 5952, without a zone, and an IPv4 address that came mapped into IPv6 (as sockets
 * for both have it) as what it is.
 *
 * @returns undefined where it is no address
 */
export function canonicalAddress(text: string): string | undefined {
  const [address = ''] = text.split('%', 1)
  if (isIP(address) === 0) return undefined
  if (isIPv4(address)) return address
  const mapped = new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:/, '')
  // the URL standard serialises as RFC 5952 has it, but for dotted quads; SocketAddress sees them where there are none (::1:2)
  return isIPv4(mapped) ? mapped : new URL(`http://[${address}]`).hostname.slice(1, -1)
}
