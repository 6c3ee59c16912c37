/**
 * How often a wrong token may be tried: the token is long, this keeps guesses out of the log and off the processor.
 *
 * @module
 */

import { isIPv6, SocketAddress } from 'node:net'

export interface LoginLimit {
  /** Whether a token from this address is looked at at all. Else even the right one is refused: to try would be to guess. */
  readonly mayTry: (address: string | undefined) => boolean
  /** A wrong one was tried. */
  readonly failed: (address: string | undefined) => void
}

const WINDOW = 60_000
const MOST_FAILURES = 5
const MOST_ADDRESSES = 1000

/** Five failures a minute for each IPv4 address and IPv6 /64. @param clock - monotonic, milliseconds */
export function createLoginLimit(clock: () => number): LoginLimit {
  const failures = new Map<string, { count: number; readonly until: number }>()
  const current = (address: string | undefined) => {
    const known = failures.get(groupOf(address))
    return known !== undefined && known.until > clock() ? known : undefined
  }
  return {
    mayTry: (address) => {
      if (failures.size >= MOST_ADDRESSES) forgetOld(failures, clock())
      // whoever fails from that many addresses at once is not helped by one more
      if (failures.size >= MOST_ADDRESSES && current(address) === undefined) return false
      return (current(address)?.count ?? 0) < MOST_FAILURES
    },
    failed: (address) => {
      const known = current(address)
      if (known === undefined) failures.set(groupOf(address), { count: 1, until: clock() + WINDOW })
      else known.count++
    },
  }
}

function forgetOld(failures: Map<string, { readonly until: number }>, now: number): void {
  for (const [address, { until }] of failures) if (until <= now) failures.delete(address)
}

/** One subscriber has a whole /64 of IPv6. */
function groupOf(address = ''): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = new SocketAddress({ address: address.split('%')[0] ?? '', family: 'ipv6' }).address.split(
    '::',
  )
  const front = head === '' ? [] : head.split(':')
  const zeros = tail === undefined ? 0 : 8 - front.length - (tail === '' ? 0 : tail.split(':').length)
  return [...front, ...Array<string>(zeros).fill('0'), ...(tail ?? '').split(':')].slice(0, 4).join(':')
}
