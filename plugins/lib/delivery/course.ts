/**
 * The course of one attempt to deliver one message: which address comes next, and what has been refused so far.
 * Plain data and pure steps; the guard carries them out, and the command to see where they lead.
 *
 * @module
 */

import { isIP } from 'node:net'
import type { AttemptVerdict, DomainEvidence, Reason } from '../policy'
import type { Opening } from './opening'
import { decideAnew, type PlannedHost } from './plan'

/** One connection to be made. */
export interface Target {
  readonly host: PlannedHost
  readonly domain: DomainEvidence
  readonly verdict: AttemptVerdict
  readonly address: string
  /** the second, clear-text try, after a handshake that failed for this reason */
  readonly afterFailure: Reason | undefined
}

/** A host with a verdict against it: it is refused where its turn comes, so that the log tells things in order. */
export interface Skipped {
  readonly host: PlannedHost
  readonly domain: DomainEvidence
  readonly because: Reason
}

export interface HostRefusal {
  /** the host's name, with its address where there was a connection */
  readonly host: string
  readonly because: Reason
}

/**
 * One attempt, from its plan to its end.
 *
 * @typeParam Candidate - what stands in line: targets, with what is needed to connect to them, hosts with a verdict
 * against them, and hosts that are not ours to decide
 */
export interface Delivery<Candidate extends object = Target | Skipped> {
  /** the recipient domain */
  readonly domain: string
  readonly queue: Candidate[]
  readonly refusals: HostRefusal[]
  current: Exclude<Candidate, Skipped> | undefined
  /** `current` has a connection */
  connected: boolean
  /** its session runs over TLS: what core is not told, since it did not start it */
  secured: boolean
  /** made so far */
  connections: number
  /** when it began, on a clock that only goes forward, in milliseconds */
  readonly began: number
}

/** Addresses of one host in one attempt: more than an honest host has of both families, and what is wrong is wrong with all of them. */
const MOST_ADDRESSES = 5

/** Of these, so many are kept for the other address family: one family may be broken as a whole. */
const OF_OTHER_FAMILY = 2

/** The addresses of a host that one attempt tries, in their order. */
function addressesToTry(addresses: readonly string[]): readonly string[] {
  if (addresses.length <= MOST_ADDRESSES) return addresses
  const isFirst = (address: string): boolean => isIP(address) === isIP(addresses[0] ?? '')
  const others = addresses.filter((address) => !isFirst(address))
  const first = addresses.filter(isFirst).slice(0, MOST_ADDRESSES - Math.min(others.length, OF_OTHER_FAMILY))
  return [...first, ...others.slice(0, MOST_ADDRESSES - first.length)]
}

/** What a host comes to: its addresses in line, or the verdict against it. */
export function candidatesOf(host: PlannedHost, domain: DomainEvidence): (Target | Skipped)[] {
  const { verdict, addresses } = host
  if (verdict.action === 'skip') return [{ host, domain, because: verdict.because }]
  const tried = addressesToTry(addresses)
  const targets = tried.map((address) => ({ host, domain, verdict, address, afterFailure: undefined }))
  const more = addresses.length - MOST_ADDRESSES
  if (more <= 0) return targets
  const left = `not tried at ${more} more ${more === 1 ? 'address' : 'addresses'}: ${MOST_ADDRESSES} in one attempt are enough`
  return [...targets, { host, domain, because: notTried(left) }]
}

/** @param now - milliseconds of a clock that only goes forward */
export function newDelivery<Candidate extends object>(
  domain: string,
  queue: readonly Candidate[],
  now: number,
): Delivery<Candidate> {
  const nothingYet = { refusals: [], current: undefined, connected: false, secured: false, connections: 0 }
  return { domain, queue: [...queue], began: now, ...nothingYet }
}

/**
 * How long one attempt goes on to further hosts, in milliseconds. Hosts that let every connection hang, dozens of
 * addresses of them, would otherwise keep a place in the queue for hours, and some hundred messages all of them.
 */
const LONGEST_ATTEMPT = 10 * 60_000
/** Connections of one attempt: 32 hosts that refuse at every address would otherwise see some hundred of them. */
const MOST_CONNECTIONS = 30

/** The attempt has taken so long, or so many connections, that this address, and those behind it, are left to the next one. */
export function leaveToNextAttempt(delivery: Delivery<object>, target: Target, now: number): boolean {
  const isLong = now - delivery.began >= LONGEST_ATTEMPT
  if (!isLong && delivery.connections < MOST_CONNECTIONS) return false
  const limit = isLong ? `${LONGEST_ATTEMPT / 60_000} minutes` : `${MOST_CONNECTIONS} connections`
  delivery.refusals.push({ host: target.host.name, because: notTried(`not tried: the attempt has taken ${limit}`) })
  delivery.queue.length = 0
  return true
}

/** It says nothing of the host: a message that requires TLS waits for it, too. */
function notTried(text: string): Reason {
  return { code: 'not-tried', concern: 'connection', text, source: 'RFC 5321 4.5.4.1', status: '4.4.1' }
}

export function isSkipped(candidate: object): candidate is Skipped {
  return 'because' in candidate
}

export function isTarget(candidate: object | undefined): candidate is Target {
  return candidate !== undefined && 'verdict' in candidate
}

/** Each address of a host must be tried until one takes the message (RFC 5321 §5.1), whatever was wrong with the one before. */
export function refuse(delivery: Delivery<object>, target: Target, because: Reason): void {
  delivery.refusals.push({ host: `${target.host.name}[${target.address}]`, because })
  delivery.current = undefined
}

/** Where an attempt goes on. */
export type Next = 'in-clear' | 'planned-anew' | 'next-address' | 'next-host' | 'nowhere'

/** What comes behind a host that was refused. */
export function nextAfter({ queue: [next] }: Delivery<object>, host: PlannedHost): Next {
  if (next === undefined) return 'nowhere'
  return isTarget(next) && next.host === host ? 'next-address' : 'next-host'
}

/** The same address once more, in clear text, before anything else. */
function retryInClear<Candidate extends object>(
  delivery: Delivery<Candidate>,
  target: Candidate & Target,
  afterFailure: Reason,
): void {
  delivery.current = undefined
  delivery.queue.unshift({ ...target, afterFailure })
}

/**
 * The TLSA records that a host was planned with are gone for sure: it is decided anew without them, and tried at this address once
 * more, and at those behind it.
 *
 * @returns false where it may not be tried without them
 */
function planAnew<Candidate extends object>(delivery: Delivery<Candidate>, target: Candidate & Target): boolean {
  const host = decideAnew(target.host, { domain: target.domain, tlsa: { status: 'none', why: 'absent' } })
  const { verdict } = host
  if (verdict.action === 'skip') return false
  const anew = (candidate: Candidate): Candidate =>
    isTarget(candidate) && candidate.host === target.host ? { ...candidate, host, verdict } : candidate
  delivery.current = undefined
  delivery.queue.splice(0, delivery.queue.length, anew(target), ...delivery.queue.map(anew))
  return true
}

/** The verdict that a session with a target keeps to: the clear-text retry negotiates nothing. */
export function verdictFor({ verdict, afterFailure }: Target): AttemptVerdict {
  if (afterFailure === undefined) return verdict
  return { ...verdict, tls: 'none', warning: undefined, wouldSkip: undefined }
}

/** No server answered at this address. */
export const noConnection: Reason = {
  code: 'connection-failed',
  concern: 'connection',
  text: 'no connection',
  source: 'RFC 5321 5.1',
  status: '4.4.1',
}

/** Another plugin named a host without a usable address. */
export function unusableHost(why: string): Reason {
  return { ...noConnection, text: `the answer to the hook get_mx cannot be used: ${why}` }
}

/** Core lost it, in the middle of the mail. */
export const lostConnection: Reason = {
  ...noConnection,
  code: 'connection-lost',
  text: 'the connection was lost while mail was being sent',
}

/** Mail that is for this very machine would come back for ever. */
export function localAddress(address: string): Reason {
  return {
    code: 'local-address',
    concern: 'connection',
    text: `${address} is an address of this machine, and local_mx_ok is not set`,
    source: 'RFC 5321 5.1',
    status: '4.4.6',
  }
}

type Opened = Extract<Opening, { status: 'open' }>
type Refused = Extract<Opening, { status: 'refused' }>

/** Goes on behind a target that was refused. @returns where */
export function goOn<Candidate extends object>(
  delivery: Delivery<Candidate>,
  target: Candidate & Target,
  opening: Refused,
): Next {
  const { starttls, because } = opening
  if (isTriedInClear(target, opening)) {
    retryInClear(delivery, target, because)
    return 'in-clear'
  }
  const isWithdrawn = starttls.status === 'done' && starttls.judgement.tlsaWithdrawn === true
  const hadRecords = target.host.evidence.tlsa.status === 'found'
  if (isWithdrawn && hadRecords && planAnew(delivery, target)) return 'planned-anew'
  refuse(delivery, target, because)
  return nextAfter(delivery, target.host)
}

/** Whether a host that was refused is tried once more, in clear text. */
function isTriedInClear({ afterFailure, verdict }: Target, { handshakeFailed }: Refused): boolean {
  return handshakeFailed && verdict.clearTextAfterFailure && afterFailure === undefined
}

/** A 4xx or 5xx that core handles as usual: no host is left, and no policy kept a host from taking the message. */
export function isReplyForCore(
  { queue, refusals }: Pick<Delivery<object>, 'queue' | 'refusals'>,
  { replies }: Refused,
): boolean {
  return replies.length > 0 && queue.length === 0 && refusals.every(({ because }) => because.concern === 'smtp')
}

/** The session as core gets it then. */
export function replyForCore({ starttls, replies }: Refused): Opened {
  return { status: 'open', starttls, replies, passedOver: undefined }
}
