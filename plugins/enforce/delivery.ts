/**
 * The course of one attempt to deliver one message: which address comes next, and what has been refused so far.
 * Plain data and pure steps; the guard carries them out.
 *
 * @module
 */

import type { HarakaMx } from '../haraka'
import type { PlannedHost } from '../lib/delivery'
import type { AttemptVerdict, Concern, DomainEvidence, EnhancedStatus, Reason } from '../lib/policy'

/** One connection to be made. */
export interface Target {
  readonly host: PlannedHost
  readonly domain: DomainEvidence
  readonly verdict: AttemptVerdict
  readonly address: string
  readonly mx: HarakaMx
  /** the second, clear-text try, after a handshake that failed for this reason */
  readonly afterFailure: Reason | undefined
}

/** A host with a verdict against it: it is refused where its turn comes, so that the log tells things in order. */
export interface Skipped {
  readonly host: PlannedHost
  readonly domain: DomainEvidence
  readonly because: Reason
}

/** LMTP on this machine: left alone. */
export interface Untouched {
  readonly mx: HarakaMx
}

export type Candidate = Target | Skipped | Untouched

export interface Refusal {
  /** the host's name, with its address where there was a connection */
  readonly host: string
  readonly because: Reason
}

/** One attempt, from its plan to its end. */
export interface Delivery {
  /** the recipient domain */
  readonly domain: string
  readonly queue: Candidate[]
  readonly refusals: Refusal[]
  current: Target | Untouched | undefined
  /** `current` has a connection */
  connected: boolean
  /** its session runs over TLS: what core is not told, since it did not start it */
  secured: boolean
  /** when it began, on a clock that only goes forward, in milliseconds */
  readonly began: number
}

/** @param now - milliseconds of a clock that only goes forward */
export function newDelivery(domain: string, queue: readonly Candidate[], now: number): Delivery {
  const nothingYet = { refusals: [], current: undefined, connected: false, secured: false }
  return { domain, queue: [...queue], began: now, ...nothingYet }
}

/**
 * How long one attempt goes on to further hosts, in milliseconds. Hosts that let every connection hang, dozens of
 * addresses of them, would otherwise keep a place in the queue for hours, and some hundred messages all of them.
 */
const LONGEST_ATTEMPT = 10 * 60_000

/** The attempt has taken so long that this address, and those behind it, are left to the next one. */
export function leaveToNextAttempt(delivery: Delivery, target: Target, now: number): boolean {
  if (now - delivery.began < LONGEST_ATTEMPT) return false
  const text = `not tried: the attempt has taken more than ${LONGEST_ATTEMPT / 60_000} minutes`
  const source = 'RFC 5321 4.5.4.1'
  const because: Reason = { code: 'timeout', concern: 'connection', text, source, status: '4.4.1' }
  delivery.refusals.push({ host: target.host.name, because })
  delivery.queue.length = 0
  return true
}

export function isSkipped(candidate: Candidate): candidate is Skipped {
  return 'because' in candidate
}

export function isTarget(candidate: Candidate | undefined): candidate is Target {
  return candidate !== undefined && 'verdict' in candidate
}

/** After a connection that failed, the next address of the host; after anything to do with TLS, the next host. */
export function refuse(delivery: Delivery, target: Target, because: Reason): void {
  delivery.refusals.push({ host: `${target.host.name}[${target.address}]`, because })
  delivery.current = undefined
  if (because.concern !== 'connection') dropAddressesOf(delivery, target.host)
}

/** The same address once more, in clear text, before anything else. */
export function retryInClear(delivery: Delivery, target: Target, afterFailure: Reason): void {
  delivery.current = undefined
  dropAddressesOf(delivery, target.host)
  delivery.queue.unshift({ ...target, afterFailure })
}

function dropAddressesOf(delivery: Delivery, host: PlannedHost): void {
  const others = delivery.queue.filter((candidate) => !isTarget(candidate) || candidate.host !== host)
  delivery.queue.splice(0, delivery.queue.length, ...others)
}

/** What is said of a message that no host may have, in the log, the queue and the bounce. */
export interface Deferral {
  readonly status: EnhancedStatus
  readonly text: string
  /** with stable words instead of sentences, for where space is short */
  readonly shortText: string
  readonly concerns: ReadonlySet<Concern>
}

/** The gravest first: a policy that was not satisfied says more than a host that did not answer. */
const gravest: readonly EnhancedStatus[] = ['4.7.5', '4.7.4', '4.4.3', '4.4.6', '4.4.2', '4.4.1']

/** More hosts than this are counted, not named: a bounce is for people. */
const MAX_NAMED = 8

/** Sums up why nobody took the message. */
export function deferralOf(domain: string, refusals: readonly Refusal[]): Deferral {
  const concerns = new Set(refusals.map(({ because }) => because.concern))
  const status = gravest.find((one) => refusals.some(({ because }) => because.status === one)) ?? '4.4.1'
  const what = status.startsWith('4.7') ? 'satisfied its policy' : 'took the message'
  const beginning = refusals.length === 0 ? `${domain} has no host to deliver to` : `no host of ${domain} ${what}: `
  const long = listOf(refusals, ({ host, because }) => `${host} (${because.text}. ${because.source})`)
  const short = listOf(refusals, ({ host, because }) => `${host} (${because.code})`)
  return { status, text: beginning + long, shortText: beginning + short, concerns }
}

function listOf(refusals: readonly Refusal[], present: (refusal: Refusal) => string): string {
  const more = refusals.length > MAX_NAMED ? [`and ${refusals.length - MAX_NAMED} more`] : []
  return [...refusals.slice(0, MAX_NAMED).map(present), ...more].join(', ')
}
