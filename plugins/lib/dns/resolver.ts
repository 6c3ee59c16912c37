/**
 * A security-aware stub resolver (RFC 7672 §2.1.1, D1): it asks recursive name servers that validate, and says of each
 * answer whether it is secure. The servers do the validating; whether their word counts is settled by `trustAd` (D4)
 * and by the self-test.
 *
 * @module
 */

import type { Answer, Failure, Lookup, RecordType } from './answer'
import { type AskOptions, type QueryReport, askServer, askServers, isFailure } from './ask'
import { type Cache, createCache } from './cache'
import { type ChainEnd, beginChain, followReply } from './chain'
import { malformed } from './failure'
import { createLimit } from './limit'
import { isDomainName } from './names'
import type { Server } from './resolv-conf'
import { type ResolverHealth, type ServerHealth, testServer } from './self-test'
import { createServerOrder } from './server-order'
import { CLOSED } from './transport'

export interface ResolverOptions {
  readonly servers: readonly Server[]
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
  /** called after each query; must not throw */
  readonly onQuery?: (query: QueryReport) => void
}

export interface Resolver {
  readonly lookup: Lookup
  /** Asks each server by itself whether it validates. A later result replaces an earlier one. Never rejects. */
  selfTest(): Promise<ResolverHealth>
  /** the result of the last self-test */
  health(): ResolverHealth | undefined
  /** Ends pending lookups as failed, and releases their sockets and timers. What is asked later fails too. */
  close(): void
}

const MAX_TTL = 3_600_000
const FAILURE_TTL = 5_000
/** Each has a socket and, with truncated answers, a TCP connection: far from what a process may open. */
const MAX_LOOKUPS_AT_A_TIME = 200

/** An answer as it is kept: `security` is what the servers said, and is weighed when it is given out. */
type Kept = Answer

/** Creates a resolver. It opens nothing before the first lookup. */
export function createResolver(options: ResolverOptions): Resolver {
  const now = options.now ?? (() => performance.now())
  const closing = new AbortController()
  const ask: AskOptions = { ...options, now, signal: closing.signal, attempts: Math.max(1, options.attempts) }
  const order = createServerOrder(options.servers, now)
  const cache: Cache<Kept> = createCache(options.cacheSize)
  const limit = createLimit(MAX_LOOKUPS_AT_A_TIME)
  const pending = new Map<string, Promise<Kept>>()
  const notValidating = new Set<Server>()
  let health: ResolverHealth | undefined

  const secureAnswers = (): boolean => options.trustAd && notValidating.size === 0

  /** What is given out: the time that is left, and "secure" only as long as the servers' word for it counts. */
  const present = (answer: Kept, expires: number): Kept => {
    if (answer.status === 'failed') return answer
    const security = answer.security === 'secure' && secureAnswers() ? 'secure' : 'insecure'
    return { ...answer, security, ttl: Math.max(0, expires - now()) }
  }

  const resolve = async (name: string, type: RecordType, key: string): Promise<Kept> => {
    const deadline = now() + options.timeout * options.servers.length
    const { answer, size } = await limit(() => resolveChain(name, type, deadline))
    const ttl = answer.status === 'failed' ? FAILURE_TTL : answer.ttl
    if (ttl > 0 && !closing.signal.aborted) cache.set(key, answer, now() + ttl, size)
    return answer
  }

  const resolveChain = async (
    name: string,
    type: RecordType,
    deadline: number,
  ): Promise<{ answer: Kept; size: number }> => {
    let chain = beginChain(name)
    for (;;) {
      const question = { name: chain.current, type }
      const reply = await askServers(question, order, deadline, ask)
      if (closing.signal.aborted) return failed(name, CLOSED)
      trySilentServer(question)
      if (isFailure(reply)) return failed(name, reply)
      const step = followReply(chain, reply, type)
      if ('failure' in step) return failed(name, step.failure)
      if ('end' in step) return { answer: toAnswer(step.end), size: step.end.chain.size }
      chain = step.next
    }
  }

  const trySilentServer = (question: Parameters<typeof askServer>[1]): void => {
    const server = order.dueForTrial()
    if (server === undefined) return
    void askServer(server, question, ask).then((outcome) => {
      if (!isFailure(outcome)) order.answered(server)
    })
  }

  const lookupAny = async (name: string, type: RecordType, fresh: boolean): Promise<Kept> => {
    if (closing.signal.aborted) return failed(name, CLOSED).answer
    const asked = toQuestionName(name)
    const key = `${type} ${asked}`
    const kept = fresh ? undefined : cache.get(key, now())
    if (kept) return present(kept.value, kept.expires) // what is no domain name is never kept
    if (!isDomainName(asked)) return failed(name, malformed('not a domain name')).answer

    let answer = pending.get(key)
    if (answer === undefined) {
      answer = resolve(asked, type, key).finally(() => pending.delete(key))
      pending.set(key, answer)
    }
    const arrived = await answer
    return present(arrived, arrived.status === 'failed' ? 0 : now() + arrived.ttl)
  }

  return {
    // the key holds the type, so that what comes back is of that type
    lookup: (name, type, { fresh = false } = {}) => lookupAny(name, type, fresh) as Promise<Answer<typeof type>>,
    async selfTest() {
      const servers = await Promise.all(options.servers.map((server) => testServer(server, options.selfTestNames, ask)))
      weigh(servers, notValidating)
      health = {
        at: new Date(),
        validates: servers.length > 0 && servers.every(({ validates }) => validates),
        trustAd: options.trustAd,
        secureAnswers: secureAnswers(),
        servers,
      }
      return health
    },
    health: () => health,
    close() {
      closing.abort()
      cache.clear()
    },
  }
}

/** Only what a server said counts: silence proves nothing either way, so that the former result stands. */
function weigh(results: readonly ServerHealth[], notValidating: Set<Server>): void {
  for (const { server, answered, validates } of results) {
    if (validates) notValidating.delete(server)
    else if (answered) notValidating.add(server)
  }
}

function toQuestionName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function toAnswer({ chain, outcome }: ChainEnd): Kept {
  return {
    ...outcome,
    name: chain.name,
    canonicalName: chain.current,
    aliases: chain.aliases,
    security: chain.authenticated ? 'secure' : 'insecure',
    ttl: Math.min(chain.ttl * 1000, MAX_TTL),
  }
}

function failed(name: string, failure: Failure): { answer: Kept; size: number } {
  return { answer: { status: 'failed', name, failure }, size: 0 }
}
