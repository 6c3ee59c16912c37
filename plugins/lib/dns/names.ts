/**
 * Which names may be asked for, and which may come out of an answer.
 *
 * @module
 */

import { isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'

/** A label as hosts, mail domains and their service names (`_25._tcp`) have them; RFC 1035 §2.3.1, with the underscore of RFC 8552. */
const LABEL = /^[a-z0-9_-]{1,63}$/

/** RFC 1035 §2.3.4: 255 octets on the wire, which leaves this much as text without the final dot. */
const MAX_NAME_LENGTH = 253

/**
 * Whether `name` is a domain name in the form that this module works with: lower-case A-labels, no final dot.
 *
 * Stricter than DNS, which allows any octet in a label: what is more than this has no place in mail, and would be
 * trouble in a log line, a policy or a comparison.
 */
export function isDomainName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && name.split('.').every((label) => LABEL.test(label))
}

/**
 * A domain name as it is asked for: A-labels in lower case, without the final dot.
 *
 * @param name - as an address or a person writes it: may have U-labels, capitals and a final dot
 * @returns undefined where it is no domain name: empty labels, other characters, too long, an IP address
 */
export function toAsciiDomain(name: string): string | undefined {
  const ascii = hasOtherThanAscii(name) ? fromUnicode(name) : name
  const domain = ascii?.toLowerCase().replace(/\.$/, '')
  if (domain === undefined || !isDomainName(domain) || isIPv4(domain)) return undefined
  return domain
}

function hasOtherThanAscii(name: string): boolean {
  return /[^\p{ASCII}]/u.test(name)
}

/**
 * UTS #46 by way of the URL parser, kept from what URLs do beyond it: they decode `%41`, end a host name at `/`, `?`,
 * `#` or `:`, and read a name that ends in a number as an IPv4 address, which a last label of our own prevents.
 */
function fromUnicode(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH || /[^A-Za-z0-9._-]/.test(name.replace(/[^\p{ASCII}]/gu, ''))) return undefined
  const guard = '.guard'
  const converted = domainToASCII(name + guard)
  return converted.endsWith(guard) ? converted.slice(0, -guard.length) : undefined
}
