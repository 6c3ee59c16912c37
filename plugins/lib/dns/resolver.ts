/**
 * A security-aware stub resolver (RFC 7672 §2.1.1, D1): it asks recursive name servers that validate, and says of each
 * answer whether it is secure. The servers do the validating; whether their word counts is settled by `trustAd` (D4)
 * and by the self-test.
 *
 * @module
 */

import type { Answer, DnsFailure, Lookup, LookupOptions, RecordType } from './answer'
import { type AskOptions, type QueryReport, askServer, askServers, isFailure } from './ask'
import { createCache } from './cache'
import { type ChainEnd, beginChain, followReply } from './chain'
import { malformed } from './failure'
import { createLimit } from './limit'
import type { DnsQuestion, DnsReply } from './message'
import { isDomainName } from './names'
import type { NameServer } from './resolv-conf'
import { type ResolverHealth, createTrust, testServer } from './self-test'
import { type ServerOrder, createServerOrder } from './server-order'
import { createSilence } from './silence'
import { exchange } from './transport'

export interface ResolverOptions {
  readonly servers: readonly NameServer[]
  /** whether AD of these servers is believed (D4); without it every answer is insecure */
  readonly trustAd: boolean
  /** milliseconds, for one server's answer */
  readonly timeout: number
  /** rounds over all servers where they fail at once; how often a silent one is sent the query within the time-out */
  readonly attempts: number
  /** answers */
  readonly cacheSize: number
  /** signed names that must come with AD */
  readonly selfTestNames: readonly string[]
  /** monotonic, in milliseconds */
  readonly now?: () => number
  /** how a query reaches its server, instead of UDP and TCP */
  readonly exchange?: AskOptions['exchange']
  /** called after each query; must not throw */
  readonly onQuery?: (query: QueryReport) => void
}

export interface Resolver {
  readonly lookup: Lookup
  /** Asks each server by itself whether it validates. A later result replaces an earlier one. Never rejects. */
  selfTest(): Promise<ResolverHealth>
  /** the result of the last self-test */
  health(): ResolverHealth | undefined
  /**
   * Forgets all answers. Never fails a lookup: those under way end by themselves, and those that come later are made, too,
   * but none of them keeps the process alive.
   */
  close(): void
}

const MAX_TTL = 3_600_000
const FAILURE_TTL = 5_000

/** Its domain has too much under way; never kept. */
const NOT_ASKED: DnsFailure = { class: 'timeout', text: 'not asked: too many lookups are waiting' }

/** An answer as it is kept: `security` is what the servers said, and is weighed each time that it is given out. */
interface Kept {
  readonly answer: Answer
  /** on the resolver's clock */
  readonly expires: number
}

/** Creates a resolver. It opens nothing before the first lookup. */
export function createResolver(options: ResolverOptions): Resolver {
  const now = options.now ?? (() => performance.now())
  const closing = new AbortController()
  const attempts = Math.max(1, options.attempts)
  const ask: AskOptions = { exchange, ...options, now, signal: closing.signal, attempts }
  const order = createServerOrder(options.servers, now)
  const cache = createCache<Answer>(options.cacheSize)
  const enter = createLimit(options.timeout, now)
  const silence = createSilence(now)
  const waiting = new Map<string, Promise<Kept>>()
  const pending = new Map<string, Promise<Kept>>()
  const trust = createTrust(options.trustAd)
  let health: ResolverHealth | undefined

  const resolve = async (name: string, type: RecordType, key: string): Promise<Kept> => {
    const began = now() // the wait for a place does not count as a failure
    const deadline = began + options.timeout * options.servers.length
    const { answer, size } = await resolveChain(name, type, order, deadline, ask)
    const expires = now() + lifeOf(answer, key, began)
    if (expires > now() && !closing.signal.aborted) cache.set(key, answer, expires, size)
    return { answer, expires }
  }

  /** A time-out is the name's own where our servers answered something else meanwhile: else they may be what is silent. */
  const lifeOf = (answer: Answer, key: string, began: number): number => {
    const isTimeout = answer.status === 'failed' && answer.failure.class === 'timeout'
    if (isTimeout && order.answeredSince(began)) return silence.lasts(key)
    if (!isTimeout) silence.ended(key)
    return answer.status === 'failed' ? FAILURE_TTL : answer.ttl
  }

  const keptFor = (key: string): Kept | undefined => {
    const kept = cache.get(key, now())
    return kept && { answer: kept.value, expires: kept.expires }
  }

  const inTurn = async (name: string, type: RecordType, group: string, fresh: boolean): Promise<Kept> => {
    const key = keyOf(name, type)
    const leave = await enter(group)
    if (leave === undefined) return { answer: failed(name, NOT_ASKED).answer, expires: now() }
    try {
      const known = fresh ? undefined : keptFor(key) // others may have asked meanwhile
      return known ?? (await join(pending, key, () => resolve(name, type, key)))
    } finally {
      leave()
    }
  }

  /** What is given out: the time that is left, and "secure" only as long as the servers' word for it counts. */
  const present = ({ answer, expires }: Kept): Answer => {
    if (answer.status === 'failed') return answer
    const security = answer.security === 'secure' && trust.isBelieved() ? 'secure' : 'insecure'
    return { ...answer, security, ttl: Math.max(0, expires - now()) }
  }

  const lookupAny = async (
    name: string,
    type: RecordType,
    { fresh = false, group }: LookupOptions,
  ): Promise<Answer> => {
    const asked = toQuestionName(name)
    const key = keyOf(asked, type)
    const kept = fresh ? undefined : keptFor(key)
    if (kept) return present(kept) // what is no domain name is never kept
    if (!isDomainName(asked)) return failed(name, malformed('not a domain name')).answer
    const underWay = pending.get(key)
    if (underWay !== undefined) return present(await underWay)
    // one that waits for its turn is joined by its own group only: another one may have its turn earlier
    const turn = group ?? asked
    return present(await join(waiting, `${turn} ${key} ${fresh}`, () => inTurn(asked, type, turn, fresh)))
  }

  return {
    // the key holds the type, so that what comes back is of that type
    lookup: (name, type, options = {}) => lookupAny(name, type, options) as Promise<Answer<typeof type>>,
    async selfTest() {
      const servers = await Promise.all(options.servers.map((server) => testServer(server, options.selfTestNames, ask)))
      trust.weigh(servers)
      const validates = servers.length > 0 && servers.every((server) => server.validates)
      const { trustAd } = options
      health = { at: new Date(), validates, trustAd, secureAnswers: trust.isBelieved(), servers }
      return health
    },
    health: () => health,
    close() {
      closing.abort()
      cache.clear()
    },
  }
}

function keyOf(name: string, type: RecordType): string {
  return `${type} ${name}`
}

/** What is under way for this key already, or else what `start` begins. */
function join<Value>(underWay: Map<string, Promise<Value>>, key: string, start: () => Promise<Value>): Promise<Value> {
  let value = underWay.get(key)
  if (value === undefined) {
    value = start().finally(() => underWay.delete(key))
    underWay.set(key, value)
  }
  return value
}

/** Asks as often as the CNAME chain of `name` needs. `size` is for the cache. */
async function resolveChain(
  name: string,
  type: RecordType,
  order: ServerOrder,
  deadline: number,
  ask: AskOptions,
): Promise<{ answer: Answer; size: number }> {
  let chain = beginChain(name)
  for (;;) {
    const question = { name: chain.current, type }
    const reply = await askServers(question, order, deadline, ask)
    trySilentServer(question, order, ask)
    if (isFailure(reply)) return failed(name, reply)

    const step = followReply(chain, reply, type)
    if ('failure' in step) return failed(name, step.failure)
    if ('end' in step) return { answer: toAnswer(step.end), size: step.end.chain.size }
    chain = step.next
  }
}

/** No lookup waits for it: if it answers, it is among the first again. */
function trySilentServer(question: DnsQuestion, order: ServerOrder, ask: AskOptions): void {
  const server = order.dueForTrial()
  if (server === undefined) return
  const noteAnswer = (outcome: DnsReply | DnsFailure): void => {
    if (!isFailure(outcome)) order.answered(server)
  }
  void askServer(server, question, ask).then(noteAnswer, () => undefined)
}

function toQuestionName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function toAnswer({ chain, outcome }: ChainEnd): Answer {
  return {
    ...outcome,
    name: chain.name,
    canonicalName: chain.current,
    aliases: chain.aliases,
    security: chain.authenticated ? 'secure' : 'insecure',
    ttl: Math.min(chain.ttl * 1000, MAX_TTL),
  }
}

function failed(name: string, failure: DnsFailure): { answer: Answer; size: number } {
  return { answer: { status: 'failed', name, failure }, size: 0 }
}
