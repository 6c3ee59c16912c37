/**
 * What both sides are told: one day, the same for both. Few domains get most of the mail (Zipf), every one gets some, and half of them
 * have their mail at a few large providers, as it is in the world.
 *
 * @module
 */
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'

export const SESSIONS = Number(process.env.BENCH_SESSIONS ?? 1_000_000)
export const DOMAINS = SESSIONS / 10

const DAY = 86_400_000
export const TODAY = { start: Date.UTC(2027, 0, 31), end: Date.UTC(2027, 0, 31) + DAY }

/** The sessions from `from` on, `count` of them, in the order in which they happened. Which they are does not depend on chance. */
export function* sessions(from: number, count: number): Generator<SessionOutcome> {
  for (let number = from; number < from + count; number++) yield sessionOf(number)
}

function sessionOf(number: number): SessionOutcome {
  const at = new Date(TODAY.start + Math.floor(((number % SESSIONS) / SESSIONS) * DAY))
  // one of ten comes to each domain in turn, so that none is left out
  const rank = number % 10 === 0 ? (number / 10) % DOMAINS : Math.floor(DOMAINS ** fraction(number, 1)) - 1
  const index = shuffled(rank)
  const domain = `customer-${index}.example`
  const host = index % 2 === 0 ? `mx${index % 4}.provider-${index % 40}.example` : `mx1.${domain}`
  const isFailed = fraction(number, 2) < 0.01
  const failure = isFailed ? ({ type: 'certificate-expired', reason: undefined } as const) : undefined
  const policy = policyOf(index, domain, host)
  return {
    ...{ at, domain, host, sendingAddress: '192.0.2.1', receivingAddress: `198.51.100.${index % 250}` },
    ...{ level: isFailed ? 'refused' : 'verified', tlsVersion: 'TLSv1.3' },
    results: [failure === undefined ? { policy } : { policy, failure }],
  }
}

function policyOf(index: number, domain: string, host: string): SessionOutcome['results'][number]['policy'] {
  if (index % 10 === 1) {
    const strings = ['version: STSv1', 'mode: enforce', `mx: ${host}`, `mx: *.${domain}`, 'max_age: 604800']
    return { type: 'sts', domain, strings, mx: [host, `*.${domain}`] }
  }
  if (index % 10 === 2) return { type: 'tlsa', domain: host, strings: [`3 1 1 ${hex(index % 40)}`] } // a host has the same records for all
  return { type: 'no-policy-found', domain }
}

/** Names must not come in the order of their rank. */
function shuffled(rank: number): number {
  return (rank * 7919) % DOMAINS
}

/** 0 to 1: as good as random, and always the same. */
function fraction(number: number, salt: number): number {
  let mixed = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
}

function hex(index: number): string {
  return Array.from({ length: 8 }, (_, word) => Math.floor(fraction(index, word + 3) * 2 ** 32))
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('')
    .toUpperCase()
}
