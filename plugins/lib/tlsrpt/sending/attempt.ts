/**
 * The attempts of a frozen report: which of its destinations are tried when, and when it is over (R6, R24). Pure.
 *
 * A destination is claimed before it is tried. What is found claimed when its time is over is a doubt: the process that tried it may have died
 * before or after the report arrived. The same report then goes again, under the same id.
 *
 * @module
 */

import { HOUR, isoTime, MINUTE } from '../../time'
import type { Destination, EntryChange, Refusing, ReportEntry } from './entry'

export interface FailedStatus {
  readonly status: 'failed'
  readonly note: string
  /** when it is tried again; Infinity: never */
  readonly nextAt: number
  /** undefined: Haraka's queue has said so */
  readonly attempt: number | undefined
  /** the receiver has said that it will never take it */
  readonly isRefused?: boolean
}

/** What is known of a report at one destination. Times are milliseconds since 1970. */
export type DeliveryStatus =
  | { readonly status: 'accepted'; readonly note: string }
  /** Haraka's queue has it; `nextAt`: when to wonder what became of it */
  | { readonly status: 'queued'; readonly note: string; readonly nextAt: number; readonly attempt: number }
  /** Haraka's queue still has it */
  | { readonly status: 'deferred'; readonly note: string }
  | FailedStatus

const FIRST_DELAY = 5 * MINUTE
const LONGEST_DELAY = 6 * HOUR
const LONGEST_NOTE = 500
/** By when an attempt has come to an end, or its process has: milliseconds. */
export const ATTEMPT_LIMIT = 5 * MINUTE

/** What a status makes of a report; undefined: nothing. */
export function afterStatus(entry: ReportEntry, rua: string, status: DeliveryStatus): EntryChange | undefined {
  const known = entry.destinations.find((one) => one.rua === rua)
  const changed = known && destinationAfter(known, status)
  if (changed === undefined) return undefined
  return settled(entry.destinations.map((one) => (one === known ? changed : one)))
}

function destinationAfter(known: Destination, next: DeliveryStatus): Destination | undefined {
  const note = cut(next.note)
  if (known.state === 'accepted') return undefined // it has arrived, whatever is said later
  if (next.status === 'accepted') return { ...known, state: 'accepted', nextAt: Infinity, note }
  if (!isPending(known)) return undefined
  if (next.status === 'deferred') return { ...known, note }
  // of an attempt that another worker has begun again meanwhile
  if (next.attempt !== undefined && (known.state !== 'trying' || known.attempts !== next.attempt)) return undefined
  if (next.status === 'queued') return { ...known, state: 'queued', nextAt: next.nextAt, note }
  return { ...known, state: next.nextAt === Infinity ? 'failed' : 'waiting', nextAt: next.nextAt, note }
}

/** Whether something is still to come of a destination. */
export function isPending({ state }: Destination): boolean {
  return state === 'waiting' || state === 'trying' || state === 'queued'
}

/** What has to be done about a report, now that its destinations are such. */
export function settled(destinations: readonly Destination[]): EntryChange {
  const isSent = destinations.some(({ state }) => state === 'accepted')
  const all = isSent ? destinations.map(notAgain) : destinations
  const dueAt = Math.min(Infinity, ...all.filter(isPending).map(({ nextAt }) => nextAt))
  const isOver = dueAt === Infinity
  if (isSent) return { state: 'sent', destinations: all, dueAt, ...(isOver && { frozen: null }) }
  if (!isOver) return { state: 'sending', destinations: all, dueAt }
  if (all.every(({ state }) => state === 'skipped'))
    return { state: 'not-wanted', destinations: all, dueAt, frozen: null }
  return { state: 'given-up', destinations: all, dueAt } // still frozen: the command may have it tried again
}

/** R6: one has it, so what has failed is not tried again. Each is tried once. */
function notAgain(destination: Destination): Destination {
  return destination.state === 'waiting' && destination.attempts > 0 ? over(destination, ANOTHER_HAS_IT) : destination
}

const ANOTHER_HAS_IT = 'not tried again, since another destination has accepted the report'

function over(destination: Destination, why: string): Destination {
  const note = destination.note === undefined ? why : `${destination.note}; ${why}`
  return { ...destination, state: 'failed', nextAt: Infinity, note: cut(note) }
}

/** How a claim is decided upon. */
export interface ClaimOptions {
  readonly now: number
  /** milliseconds */
  readonly retryFor: number
  /** the pattern by which a rua gets no report */
  readonly suppressedBy: (rua: string) => string | undefined
  /** the one that has refused the reports of the last periods for good, and is not asked now; undefined: it is */
  readonly refusing: (rua: string) => Refusing | undefined
  /** how long a rua has to wait for its turn: milliseconds; undefined: it is its turn, and it takes it */
  readonly mustWait: (rua: string) => number | undefined
}

export interface Claim {
  readonly change: EntryChange
  /** which are to be tried when the change has been written, and which attempt that is */
  readonly attempts: readonly { readonly rua: string; readonly attempt: number; readonly isDoubt: boolean }[]
}

/** Claims the destinations of a frozen report that are due. */
export function claim(entry: ReportEntry, options: ClaimOptions): Claim {
  const attempts: { rua: string; attempt: number; isDoubt: boolean }[] = []
  const destinations = entry.destinations.map((destination) => {
    const closed = closeOne(entry, destination, options)
    if (closed !== undefined) return closed
    const { rua } = destination
    const wait = options.mustWait(rua)
    if (wait !== undefined) return { ...destination, state: 'waiting', nextAt: options.now + wait } as const
    const attempt = destination.attempts + 1
    attempts.push({ rua, attempt, isDoubt: destination.state === 'trying' })
    return { ...destination, state: 'trying', attempts: attempt, nextAt: options.now + ATTEMPT_LIMIT } as const
  })
  const firstTriedAt = entry.firstTriedAt ?? options.now // whether it was its turn or not
  return { change: { ...settled(destinations), firstTriedAt }, attempts }
}

/** A destination that is not to be tried now. Undefined: it is. */
function closeOne(entry: ReportEntry, destination: Destination, options: ClaimOptions): Destination | undefined {
  const { now, retryFor, suppressedBy } = options
  const { state, attempts, nextAt } = destination
  if (!isPending(destination) || nextAt > now) return destination
  if (state === 'queued') return over(destination, "Haraka's queue has not said what became of it")
  if (attempts > 0 && entry.state === 'sent') return over(destination, ANOTHER_HAS_IT)
  if ((entry.firstTriedAt ?? now) + retryFor <= now)
    return over(destination, attempts > 0 ? 'retry-for is over' : 'retry-for is over, and it never was its turn')
  const pattern = suppressedBy(destination.rua)
  if (pattern !== undefined && attempts > 0) return over(destination, `suppressed: ${pattern}`)
  if (pattern !== undefined) return skipped(destination, `suppressed: ${pattern}`)
  const refusing = options.refusing(destination.rua)
  if (attempts > 0 || refusing === undefined || entry.start >= refusing.until) return undefined
  const again = isoTime(refusing.until).slice(0, 10)
  return skipped(destination, `refused for good in ${refusing.periods} periods in a row: asked again for ${again}`)
}

function skipped(destination: Destination, note: string): Destination {
  return { ...destination, state: 'skipped', nextAt: Infinity, note: cut(note) }
}

/** How long after the first failure something is tried again, but for chance: milliseconds. */
export function firstDelay(retryFor: number): number {
  return Math.max(1, Math.min(FIRST_DELAY, retryFor / 12))
}

export interface RetryOptions {
  readonly now: number
  readonly retryFor: number
  readonly retryAfter?: number
  readonly random: () => number
}

/**
 * When what has failed is tried again (R24): after 5 minutes, then twice as long each time, up to 6 hours, spread by a quarter to
 * both sides. With a short `retryFor` it begins with less. Never before the receiver wants it (RFC 9110 §10.2.3).
 *
 * @param attempts - already made, at least one
 * @param retryAfter - what the receiver has asked for: milliseconds from now
 * @returns Infinity: not within `retryFor`
 */
export function retryAt(
  { attempts, firstTriedAt }: { readonly attempts: number; readonly firstTriedAt: number },
  { now, retryFor, retryAfter = 0, random }: RetryOptions,
): number {
  const delay = Math.min(firstDelay(retryFor) * 2 ** Math.min(attempts - 1, 20), LONGEST_DELAY)
  const at = Math.round(now + Math.max(retryAfter, delay * (0.75 + random() / 2)))
  return at < firstTriedAt + retryFor ? at : Infinity
}

/**
 * What the command's `report send` makes of a report: what waits is due now, and what was given up or not wanted begins anew.
 * Undefined: there is nothing to send.
 */
export function reopened(entry: ReportEntry, now: number): EntryChange | undefined {
  const { state, destinations } = entry
  if (state === 'scheduled') return { dueAt: Math.min(entry.dueAt, now) }
  if (state === 'not-wanted' || destinations.length === 0)
    return { state: 'scheduled', dueAt: now, firstTriedAt: undefined, destinations: [], note: undefined }
  const isGivenUp = state === 'given-up'
  const again = destinations.map((one) => {
    if (isGivenUp && one.state === 'failed') return { ...one, state: 'waiting', nextAt: now, attempts: 0 } as const
    return one.state === 'waiting' ? { ...one, nextAt: Math.min(one.nextAt, now) } : one
  })
  const change = settled(again)
  if (change.dueAt === Infinity || change.dueAt === entry.dueAt) return undefined
  return isGivenUp ? { ...change, firstTriedAt: undefined } : change
}

/** A note is for people, and may be a remote party's words. */
export function cut(note: string): string {
  return note.length > LONGEST_NOTE ? `${note.slice(0, LONGEST_NOTE - 1)}…` : note
}
