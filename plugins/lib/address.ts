/**
 * Mail addresses (RFC 5321 §4.1.2).
 *
 * @module
 */

import { Address } from 'address-rfc2821'

/** Parts of an address, as they are written. */
export interface AddressParts {
  /** may be a quoted string, and more than US-ASCII */
  readonly local: string
  /** may be an address literal, and in U-labels; without a final dot */
  readonly domain: string
}

/** @returns undefined for what is no address: the null path and a source route are none either, nor is one in brackets */
export function splitAddress(text: string): AddressParts | undefined {
  const bare = text.replace(/\.$/, '')
  if (!bare.includes('@')) return undefined // the library takes "" and "postmaster"
  try {
    const { user, original_host: domain = '' } = new Address(bare)
    return `${user}@${domain}` === bare ? { local: user, domain } : undefined
  } catch {
    return undefined
  }
}
