/**
 * Hosts that are this machine itself (RFC 5321 §5.1): mail for them would come back for ever.
 *
 * @module
 */

import { BlockList, isIP } from 'node:net'
import type { Verdict } from '../policy'

interface Host {
  readonly name: string
  readonly addresses: readonly string[]
  readonly verdict: Verdict
}

const thisHost = new BlockList()
thisHost.addSubnet('127.0.0.0', 8, 'ipv4')
thisHost.addAddress('0.0.0.0', 'ipv4')
thisHost.addAddress('::', 'ipv6')
thisHost.addAddress('::1', 'ipv6')

/** IPv4-mapped, IPv4-compatible (RFC 4291 §2.5.5) and NAT64 (RFC 6052 §2.1), as URLs write them. */
const carriesIpv4 = /^(?:::ffff:|::|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/**
 * An address in its canonical form (RFC 5952), without a zone: the IPv4 address where the IPv6 address only carries one.
 * Only for the question whether mail comes back: a NAT64 address leads to another machine first.
 */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%', 1)
  if (isIP(bare) !== 6) return bare
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const [, high, low] = carriesIpv4.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  return [high, low].flatMap((hex) => [parseInt(hex, 16) >> 8, parseInt(hex, 16) & 255]).join('.')
}

/** Whether a plain address is a loopback or the unspecified address, with which every machine means itself. */
export function isLoopback(plain: string): boolean {
  const version = isIP(plain)
  return version !== 0 && thisHost.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Whether an address is one of this machine's own, under which others know it. A loopback address is not: it is this
 * machine for everybody, and decoys like "MX 5 localhost" say nothing of the hosts behind them.
 *
 * @param own - this machine's plain addresses
 */
export function isOwnAddress(own: ReadonlySet<string>, address: string): boolean {
  const plain = plainAddress(address)
  return own.has(plain) && !isLoopback(plain)
}

/**
 * The hosts that are preferred to this machine: where it is among the hosts itself, those of its preference and worse ones
 * are discarded (RFC 5321 §5.1). A host that is refused anyway proves nothing: an attacker who forged it could end the message.
 *
 * @param hosts - the best first
 */
export async function preferredToThisMachine<H extends Host>(
  hosts: readonly H[],
  preferenceOf: (name: string) => number,
  isOwn: (address: string) => Promise<boolean>,
): Promise<readonly H[]> {
  for (const { name, addresses, verdict } of hosts) {
    if (verdict.action === 'skip') continue
    const answers = await Promise.all(addresses.map(isOwn))
    if (answers.includes(true)) return hosts.filter((other) => preferenceOf(other.name) < preferenceOf(name))
  }
  return hosts
}
