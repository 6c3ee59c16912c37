/**
 * What is kept for people to look at: connections by level, the last word on every host, messages that wait, resolvers.
 * Times are milliseconds since 1970.
 *
 * @module
 */

/** What a connection came to. The first three are Postfix's words, as in the log. */
export type ConnectionLevel = 'verified' | 'trusted' | 'untrusted' | 'clear-text' | 'refused'

/** The best first. */
export const LEVELS: readonly ConnectionLevel[] = ['verified', 'trusted', 'untrusted', 'clear-text', 'refused']

export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]

/** A connection that mail was to go over: opened at a level, or refused, perhaps before it was made. */
export interface ConnectionEvent {
  readonly at: number
  /** the recipient domain, or the relay's name */
  readonly domain: string
  /** undefined: all hosts, as where the MX lookup failed */
  readonly host: string | undefined
  readonly level: ConnectionLevel
  readonly tlsVersion: string | undefined
  /** a ReasonCode: why it was refused, or what decided the level that was asked for */
  readonly reason: string
  /** as the log has it */
  readonly text: string
}

/** A message that is deferred because of TLS. */
export interface WaitingMessage {
  /** the same for all of its attempts, and for no other message of any host */
  readonly id: string
  readonly domain: string
  /** when it was first deferred for such a reason */
  readonly since: number
  readonly nextAt: number
  /** 4.7.x */
  readonly status: string
  /** ReasonCodes, at most {@link MOST_REASONS} */
  readonly reasons: readonly string[]
  /** as the log has it, at most {@link LONGEST_TEXT} characters */
  readonly text: string
}

export const MOST_REASONS = 8
export const LONGEST_TEXT = 2000
/** Messages beyond are counted, but not listed. */
export const MOST_WAITING = 10_000
/** Hosts of one domain that are told apart: those seen last. */
export const MOST_HOSTS = 20
/** Domains that are kept: those seen last. */
export const MOST_DESTINATIONS = 200_000
/** A message whose next attempt is that long overdue is not waiting any more: its Haraka is gone, or it was removed from the queue. */
export const OVERDUE = 86_400_000

/** The resolver as one machine last saw it. */
export interface ResolverState {
  readonly machine: string
  readonly at: number
  /** whether its word on DNSSEC counts at all (`trust-ad`) */
  readonly trustAd: boolean
  /** all of its servers validate */
  readonly validates: boolean
  /** whether DANE is available */
  readonly secureAnswers: boolean
  readonly servers: readonly {
    readonly server: string
    readonly validates: boolean
    readonly answered: boolean
    readonly text: string
  }[]
}

/** Messages to one domain that wait. */
export interface WaitingDomain {
  readonly domain: string
  readonly messages: number
  /** the earliest */
  readonly since: number
  /** the next of any of them */
  readonly nextAt: number
  /** of the message that was deferred last */
  readonly status: string
  readonly reasons: readonly string[]
  readonly text: string
}

export interface Waiting {
  /** all messages, also those of domains beyond the limit */
  readonly messages: number
  /** those with the most messages first */
  readonly domains: readonly WaitingDomain[]
}

export interface Census {
  readonly destinations: number
  /** refused since they were last delivered to */
  readonly failing: number
}

/**
 * - `failing`: refused since it was last delivered to
 * - `recovered`: delivered to since it was last refused
 * - `fine`: never refused, as far as is remembered
 */
export type DestinationState = 'failing' | 'recovered' | 'fine'

/** The last thing of its kind that was seen of a domain. */
export interface LastSeen extends Pick<ConnectionEvent, 'at' | 'host' | 'level' | 'tlsVersion' | 'reason' | 'text'> {
  /** it is worse than it was: Verified or Trusted for a week, until then */
  readonly goodUntil: number | undefined
}

export interface DestinationEntry {
  readonly domain: string
  readonly state: DestinationState
  /** the last one that was refused */
  readonly refused: LastSeen | undefined
  /** the last one that was opened */
  readonly delivered: LastSeen | undefined
}

export interface DestinationDetails extends DestinationEntry {
  /** the last words on each host, the latest first: at most two for each, what was refused and what was opened */
  readonly hosts: readonly LastSeen[]
}

/** Where a list of destinations goes on: behind this entry. */
export interface Cursor {
  readonly rank: number
  readonly domain: string
}

export interface DestinationQuery {
  /** a part of the name, lower case; empty: all */
  readonly search: string
  readonly after: Cursor | undefined
  readonly limit: number
}

export interface DestinationPage {
  /** those that fail first, the latest of them first; then those that did; then all others, the one last seen first */
  readonly entries: readonly DestinationEntry[]
  /** undefined: there are no more */
  readonly next: Cursor | undefined
}

/** What was seen further ahead of the clock than this was seen while a clock was wrong. Nothing would ever take its place. */
export const CLOCKS_APART = 3_600_000

const RANK = 1e13 // beyond any time
/** What fails is beyond it. */
export const FAILING_RANK = 2 * RANK

/**
 * Where a domain stands in the list: the larger, the further ahead.
 *
 * @param refused - when it last was, 0: never
 * @param delivered - when it was last delivered to, 0: never
 */
export function rankOf(refused: number, delivered: number): number {
  if (refused === 0) return delivered
  return refused > delivered ? FAILING_RANK + refused : RANK + refused
}

export function stateOf(refused: number | undefined, delivered: number | undefined): DestinationState {
  if (refused === undefined) return 'fine'
  return refused > (delivered ?? 0) ? 'failing' : 'recovered'
}
