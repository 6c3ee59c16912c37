/**
 * How often a wrong token may be tried: the token is long, this keeps guesses out of the log and off the processor.
 *
 * @module
 */

import { clientOf } from '../clients'

export interface LoginLimit {
  /** Whether a token from this address is looked at at all. Else even the right one is refused: to try would be to guess. */
  readonly mayTry: (address: string | undefined) => boolean
  /** A wrong one was tried. */
  readonly failed: (address: string | undefined) => void
}

const WINDOW = 60_000
const MOST_FAILURES = 5
const MOST_CLIENTS = 1000

/** Five failures a minute for each IPv4 address and IPv6 /64. @param clock - monotonic, milliseconds */
export function createLoginLimit(clock: () => number): LoginLimit {
  const failures = new Map<string, { count: number; readonly until: number }>() // those of long ago first
  const current = (client: string) => {
    const known = failures.get(client)
    return known !== undefined && known.until > clock() ? known : undefined
  }
  return {
    mayTry: (address = '') => (current(clientOf(address))?.count ?? 0) < MOST_FAILURES,
    failed: (address = '') => {
      const client = clientOf(address)
      const known = current(client)
      if (known !== undefined) {
        known.count++
        return
      }
      failures.delete(client)
      failures.set(client, { count: 1, until: clock() + WINDOW })
      // whoever has that many addresses shuts nobody else out by them, and finds no token of 16 characters either
      const [first] = failures.keys()
      if (failures.size > MOST_CLIENTS && first !== undefined) failures.delete(first)
    },
  }
}
