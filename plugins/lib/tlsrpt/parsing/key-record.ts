/**
 * DKIM keys of senders of TLS reports, as mailauth asks for them (RFC 6376 §3.6.2, RFC 8460 §3).
 *
 * @module
 */

import type { Lookup } from '../../dns'

/** How mailauth looks things up. */
export type MailauthResolver = (name: string, type: string) => Promise<readonly (readonly string[])[]>

/**
 * A resolver for mailauth that asks ours, and for no more than TXT records.
 *
 * @param most - lookups: a message cannot have us ask for more
 */
export function keyResolver(lookup: Lookup, most: number): MailauthResolver {
  let left = most
  return async (name, type) => {
    if (type !== 'TXT' || left-- <= 0) throw dnsError('EREFUSED', 'too many lookups')
    const answer = await lookup(name, 'TXT')
    if (answer.status === 'failed') throw dnsError('ESERVFAIL', answer.failure.text)
    if (answer.status === 'absent') throw dnsError('ENODATA', answer.why)
    // of several records only the first is looked at there
    const keys = answer.records.toSorted((a, b) => Number(isKey(b)) - Number(isKey(a)))
    return keys.map((record) => [forReports(record)])
  }
}

function isKey(record: string): boolean {
  return /(?:^|;)\s*p\s*=/.test(record)
}

/**
 * A key for the service type `tlsrpt` is one for any message here, which mailauth does not know (V1). Those without it are taken too:
 * that they be ignored is a MAY, and most have none.
 */
function forReports(record: string): string {
  const services = /(?:^|;)\s*s\s*=([^;]*)/.exec(record)?.[1]
  if (services === undefined) return record
  const isForReports = services.split(':').some((service) => service.trim().toLowerCase() === 'tlsrpt')
  return isForReports ? record.replace(/(^|;)\s*s\s*=[^;]*/, '$1s=*') : record
}

/** mailauth tells by the code whether there is no key, or the lookup failed. */
function dnsError(code: string, text: string): Error {
  return Object.assign(new Error(text), { code })
}
