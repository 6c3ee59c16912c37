/**
 * What DNS said about a host, found again among the answers.
 *
 * @module
 */

import { isIPv6 } from 'node:net'
import type { Security } from '../../lib/dns'
import type { Evidence } from './gather'

/** The preference of an MX host; undefined where no MX record names it. */
export function preferenceOf({ answers, message }: Evidence, host: string): number | undefined {
  const answer = answers.get(message.facts.recipientDomain, 'MX')
  if (answer?.status !== 'found') return undefined
  const preferences = answer.records.filter(({ exchange }) => exchange === host).map(({ preference }) => preference)
  return preferences.length === 0 ? undefined : Math.min(...preferences)
}

/** Of the record that an address comes from; undefined where it does not come from DNS. */
export function securityOf({ answers }: Evidence, host: string, address: string): Security | undefined {
  const answer = isIPv6(address) ? answers.get(host, 'AAAA') : answers.get(host, 'A')
  if (answer?.status !== 'found') return undefined
  return answer.records.includes(address) ? answer.security : undefined
}
