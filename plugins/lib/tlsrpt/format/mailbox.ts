/**
 * Mail addresses as reports are sent to, and as they name whom to ask about them (RFC 5322 §3.4.1).
 *
 * @module
 */

import { toAsciiDomain } from '../../dns'

const LONGEST_LOCAL_PART = 64 // RFC 5321 §4.5.3.1.1
const LONGEST_ADDRESS = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
// "," and ";" stand in quotes only; white space, brackets and back-slashes would be trouble in a header or an SMTP command
const QUOTED = /^"[!#-;=?-[\]-~]+"$/

/**
 * An address in the one form that is used here: its domain in lower-case A-labels, without a final dot.
 *
 * @returns undefined where it is no address that a report can go to: an address literal, a domain of one label, a local part
 *   that is not US-ASCII or needs more than the plainest quotes, control characters, too long
 */
export function readAddress(text: string): string | undefined {
  if (text.length > LONGEST_ADDRESS) return undefined
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0))
  if (local.length > LONGEST_LOCAL_PART || !(DOT_ATOM.test(local) || QUOTED.test(local))) return undefined
  const domain = toPublicName(text.slice(at + 1))
  const address = `${local}@${domain}`
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
