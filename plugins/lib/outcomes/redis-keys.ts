/**
 * Where outcomes are in Redis. All counts of one recipient domain and one UTC day are fields of one hash, which expires as a whole:
 *
 * - `07|POLICY|DETAIL`: sessions of the hour from 07:00; without a detail they succeeded. Where a policy has failures only, there are
 *   0 successes
 * - `s07|LEVEL|VERSION|HOST`: sessions as people look at them
 * - `h`: the hours that have the former, as bits; `p07`, `d07`, `s07`: how many policies, details and kinds of sessions an hour has
 *
 * A policy is written once, under its hash, and outlives the last day that refers to it.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { KEY_PREFIX } from '../store'
import type { AppliedPolicy } from '../tlsrpt'
import { DAY } from './written'

export const PREFIX = `${KEY_PREFIX}outcomes:`
/** The instant before which all hours are closed. */
export const CLOSED = `${PREFIX}closed`
/** The hours, and the days (counted from 1970), that have outcomes. */
export const HOURS = `${PREFIX}hours`
export const DAYS = `${PREFIX}days`

/** What stands for a policy that is not quoted. */
export const TOO_LONG = '-'

/** The counts of a domain on a day. */
export function countsKey(day: number, domain: string): string {
  return `${PREFIX}day:${day}:${domain}`
}

/** The domains that have any on a day, in the order of their names. */
export function domainsKey(day: number): string {
  return `${PREFIX}domains:${day}`
}

export function policyKey(ref: string): string {
  return `${PREFIX}policy:${ref}`
}

/** The last batch that was counted of a writer. */
export function writerKey(writer: string): string {
  return `${PREFIX}writer:${writer}`
}

/** A short name for a policy: its type, and 120 bits of its hash. Most domains have none: that takes no name. */
export function refOf(policy: AppliedPolicy, domain: string, text: string): string {
  if (policy.type === 'no-policy-found' && policy.domain === domain) return ''
  return policy.type.charAt(0) + hash('sha256', text, 'base64url').slice(0, 20)
}

/** The type of a policy, without its text. */
export function typeOf(ref: string): AppliedPolicy['type'] {
  return ref.startsWith('t') ? 'tlsa' : ref.startsWith('s') ? 'sts' : 'no-policy-found'
}

/** The hours of one UTC day that are in a period. */
export interface DayPart {
  readonly day: number
  /** as bits */
  readonly hours: number
}

/** The days of a period that `days` has any outcomes of. */
export function partsOf(
  { start, end }: { readonly start: number; readonly end: number },
  days: readonly number[],
): readonly DayPart[] {
  return days
    .map((day) => {
      const hour = (instant: number) => Math.min(24, Math.max(0, Math.floor(((instant - day * DAY) / DAY) * 24)))
      return { day, hours: 2 ** hour(end) - 2 ** hour(start) }
    })
    .filter(({ hours }) => hours > 0)
}
