/**
 * Gathers the evidence about hosts: addresses first, then TLSA where the addresses are secure (RFC 7672 §2.2.2).
 *
 * @module
 */

import { isIP } from 'node:net'
import { findTlsa, type TlsaEvidence } from '../dane'
import type { Answer, Lookup } from '../dns'
import type { AddressEvidence, HostEvidence } from '../policy'

/** More addresses than this of one family are not looked at. */
const MAX_ADDRESSES = 16

/** What `inet_prefer` in outbound.ini says; it orders the addresses of one host, never hosts against their preference. */
export type AddressFamily = 'v4' | 'v6' | 'default'

/**
 * @param name - an MX host's or relay's name as A-labels, or an IP address
 * @param port - where it is connected to: TLSA records belong to a port (D32)
 * @param asksTlsa - false: DANE is disabled for this host, or its name is not to be trusted with it
 */
export async function gatherHost(
  lookup: Lookup,
  name: string,
  port: number,
  asksTlsa: boolean,
  family: AddressFamily,
): Promise<HostEvidence> {
  const literal = literalAddresses(name)
  if (literal !== undefined) return evidence(name, literal, { status: 'none', why: 'ip-address' }) // D18

  const [a, aaaa] = await Promise.all([lookup(name, 'A'), lookup(name, 'AAAA')])
  const addresses = readAddresses(a, aaaa, family)
  if (!asksTlsa || addresses.status !== 'found')
    return evidence(name, addresses, { status: 'none', why: 'not-looked-up' })
  return evidence(name, addresses, await findTlsa(lookup, name, port, { a, aaaa }))
}

function evidence(name: string, addresses: AddressEvidence, tlsa: TlsaEvidence): HostEvidence {
  return { name, addresses, tlsa }
}

/** Names that are their own address; `localhost` never leaves the machine (RFC 6761 §6.3). */
function literalAddresses(name: string): AddressEvidence | undefined {
  if (isIP(name) !== 0) return { status: 'found', addresses: [name] }
  if (name === 'localhost') return { status: 'found', addresses: ['127.0.0.1', '::1'] }
  return undefined
}

/** One of A and AAAA may fail: the other counts (D6). */
export function readAddresses(a: Answer<'A'>, aaaa: Answer<'AAAA'>, family: AddressFamily): AddressEvidence {
  const v4 = a.status === 'found' ? a.records.slice(0, MAX_ADDRESSES) : []
  const v6 = aaaa.status === 'found' ? aaaa.records.slice(0, MAX_ADDRESSES) : []
  const addresses = family === 'v4' ? [...v4, ...v6] : [...v6, ...v4]
  if (addresses.length > 0) return { status: 'found', addresses }

  const failures = [a, aaaa].filter((answer) => answer.status === 'failed').map(({ failure }) => failure)
  const failure = failures.find((one) => one.class === 'bogus') ?? failures[0]
  if (failure !== undefined) return { status: 'failed', text: failure.text, bogus: failure.class === 'bogus' }
  const why = a.status === 'absent' && a.why === 'nxdomain' ? 'no such name' : 'neither A nor AAAA records'
  return { status: 'absent', text: why }
}
