/**
 * How a reply without an answer is classed, and what people are told (D5, RFC 8914).
 *
 * @module
 */

import type { DnsFailure } from './answer'
import { RCODE, type DnsReply } from './message'

const RCODE_NAME: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  16: 'BADVERS',
}

/** The extended errors that say that validation failed; the others tell of servers that could not be reached or would not answer. */
const BOGUS: Readonly<Record<number, string>> = {
  1: 'unsupported DNSKEY algorithm',
  2: 'unsupported DS digest type',
  5: 'DNSSEC indeterminate',
  6: 'DNSSEC bogus',
  7: 'signature expired',
  8: 'signature not yet valid',
  9: 'DNSKEY missing',
  10: 'RRSIGs missing',
  11: 'no zone key bit set',
  12: 'NSEC missing',
}

const SERVER_TROUBLE: Readonly<Record<number, string>> = {
  13: 'cached error',
  14: 'not ready',
  15: 'blocked',
  16: 'censored',
  17: 'filtered',
  18: 'prohibited',
  20: 'not authoritative',
  21: 'not supported',
  22: 'no reachable authority',
  23: 'network error',
  24: 'invalid data',
}

/** The RCODE's name, from a fixed list: fit for a metric label. */
export function rcodeName(rcode: number): string {
  return RCODE_NAME[rcode] ?? 'RCODE_OTHER'
}

/** Whether the reply says something about the name: records, or that there are none. Every other RCODE is an error (D5). */
export function isAnswer({ rcode, isReferral }: DnsReply): boolean {
  return (rcode === RCODE.NOERROR && !isReferral) || rcode === RCODE.NXDOMAIN
}

/** The failure that a reply means which is not an {@link isAnswer answer}. */
export function failureOf({ rcode, extendedErrors }: DnsReply): DnsFailure {
  if (rcode === RCODE.NOERROR) return { class: 'refused', text: 'only a referral: the server is not recursive' }
  const name = RCODE_NAME[rcode] ?? `RCODE ${rcode}`
  if (rcode === RCODE.REFUSED) return { class: 'refused', text: name + describe(extendedErrors[0]) }
  const bogus = rcode === RCODE.SERVFAIL ? extendedErrors.find((code) => code in BOGUS) : undefined
  if (bogus !== undefined) return { class: 'bogus', text: name + describe(bogus) }
  return { class: 'server-failure', text: name + describe(extendedErrors[0]) }
}

function describe(code: number | undefined): string {
  if (code === undefined) return ''
  const meaning = BOGUS[code] ?? SERVER_TROUBLE[code]
  return meaning === undefined ? `, EDE ${code}` : `, ${meaning} (EDE ${code})`
}

export function malformed(text: string): DnsFailure {
  return { class: 'malformed', text }
}
