/**
 * How many wrong tokens are answered and logged as such: the token is too long to be guessed, this keeps guesses out of the log.
 *
 * The right token is never refused. Several people come from one address where a proxy is in front, and a program that repeats an old
 * token must not lock out the others.
 *
 * @module
 */

import { clientOf } from '../runtime/clients'

/** Counts a wrong token from an address. @returns whether it is beyond the limit */
export type LoginLimit = (address: string | undefined) => boolean

const WINDOW = 60_000
const MOST_FAILURES = 5
const MOST_CLIENTS = 1000

/** Five failures a minute for each IPv4 address and IPv6 /64. @param clock - monotonic, milliseconds */
export function createLoginLimit(clock: () => number): LoginLimit {
  const failures = new Map<string, { count: number; readonly until: number }>() // those of long ago first
  return (address = '') => {
    const client = clientOf(address)
    const known = failures.get(client)
    if (known !== undefined && known.until > clock()) return ++known.count > MOST_FAILURES
    failures.delete(client)
    failures.set(client, { count: 1, until: clock() + WINDOW })
    // a client with many addresses pushes out the counts of others, which only lets them be logged again
    const [first] = failures.keys()
    if (failures.size > MOST_CLIENTS && first !== undefined) failures.delete(first)
    return false
  }
}
