/**
 * Mail addresses as reports are sent to, and as they name whom to ask about them (RFC 5322 §3.4.1).
 *
 * @module
 */

import { splitAddress } from '../../address'
import { toAsciiDomain } from '../../dns'

const LONGEST_ADDRESS = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
// white space, brackets and back-slashes, in quotes, would be trouble in a header or an SMTP command
const HARMLESS = /^[!-;=?-[\]-~]+$/

/**
 * An address in the one form that is used here: its domain in lower-case A-labels, without a final dot.
 *
 * @returns undefined where it is no address that a report can go to: an address literal, a domain of one label, a local part
 *   that is not US-ASCII or needs more than the plainest quotes, control characters, too long
 */
export function readAddress(text: string): string | undefined {
  if (text.length > LONGEST_ADDRESS) return undefined
  const parts = splitAddress(text)
  if (parts === undefined || !HARMLESS.test(parts.local)) return undefined
  const domain = toPublicName(parts.domain)
  const address = `${parts.local}@${domain}`
  return domain === undefined || address.length > LONGEST_ADDRESS ? undefined : address
}

/** The domain of an address that {@link readAddress} has given. */
export function mailboxDomainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

/** A-labels of a name that a remote party gave: `localhost` and whatever else has one label is a matter of this network. */
export function toPublicName(name: string): string | undefined {
  const domain = toAsciiDomain(name)
  return domain?.includes('.') === true ? domain : undefined
}
