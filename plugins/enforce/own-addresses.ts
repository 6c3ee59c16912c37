/**
 * Which addresses are this machine's, as core sees it.
 *
 * @module
 */

import { networkInterfaces } from 'node:os'
import type { NetUtils } from '../runtime/haraka'
import { isOwnAddress, plainAddress } from '../lib/delivery'

/** How long the addresses are kept, in milliseconds: core looks up its own name for every address that it is asked about. */
const KEPT = 60_000

export interface OwnAddresses {
  /** Mail that is sent to this address stays on this machine: core's own test, for every form of the address. */
  readonly isLocal: (address: string) => boolean
  /** Others know this machine by this address (RFC 5321 §5.1). */
  readonly isOwn: (address: string) => Promise<boolean>
}

export function createOwnAddresses(net: NetUtils): OwnAddresses {
  let known: { readonly addresses: Promise<ReadonlySet<string>>; readonly until: number } | undefined
  const addresses = () => {
    if (known === undefined || known.until < performance.now())
      known = { addresses: ownAddresses(net), until: performance.now() + KEPT }
    return known.addresses
  }
  return {
    isLocal: (address) => net.is_local_ip(address) || net.is_local_ip(plainAddress(address)),
    isOwn: async (address) => isOwnAddress(await addresses(), address),
  }
}

/** Of its interfaces, of its name, and what smtp.ini says. A name that cannot be looked up adds nothing, as in core. */
async function ownAddresses(net: NetUtils): Promise<ReadonlySet<string>> {
  const ofInterfaces = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address))
  const [publicIp, ofName] = await Promise.allSettled([
    net.get_public_ip(),
    net.get_ips_by_host(net.get_primary_host_name()),
  ])
  const own = [...ofInterfaces]
  if (publicIp.status === 'fulfilled' && typeof publicIp.value === 'string') own.push(publicIp.value)
  if (ofName.status === 'fulfilled') own.push(...ofName.value)
  return new Set(own.map(plainAddress))
}
