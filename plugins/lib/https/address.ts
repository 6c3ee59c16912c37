/**
 * Which addresses a remote party may make us connect to. Policy hosts and the receivers of reports are named by the recipient's domain, so
 * a remote party could otherwise have us connect to hosts of our own network.
 *
 * @module
 */

import { BlockList, isIP } from 'node:net'

const REFUSED_IPV4 = [
  ['0.0.0.0', 8], // this host
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared by carriers (RFC 6598)
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, where clouds keep their credentials
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const

const REFUSED_IPV6 = [
  ['::', 96], // unspecified, loopback, and the long dead IPv4-compatible form
  ['::ffff:0:0:0', 96], // translated (RFC 2765): hides an IPv4 address
  ['64:ff9b:1::', 48], // NAT64 of a local network (RFC 8215)
  ['100::', 64], // discard
  ['2001::', 32], // Teredo: hides an IPv4 address
  ['fc00::', 7], // unique local
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local
  ['ff00::', 8], // multicast
] as const

const refused = buildList()

/**
 * Whether this is an address of the public Internet: not loopback, private, link-local, shared, multicast or unspecified, also
 * where an IPv6 address carries such an IPv4 address (mapped, NAT64, 6to4). What is no address at all is not public.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return false
  return !refused.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

function buildList(): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of REFUSED_IPV6) list.addSubnet(network, prefix, 'ipv6')
  for (const [network, prefix] of REFUSED_IPV4) {
    list.addSubnet(network, prefix, 'ipv4')
    list.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6')
    list.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6')
    list.addSubnet(sixToFour(network), 16 + prefix, 'ipv6')
  }
  return list
}

/** The 6to4 network of an IPv4 network (RFC 3056). */
function sixToFour(network: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number)
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`
}
