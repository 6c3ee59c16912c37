/**
 * A security-aware stub resolver (RFC 7672 §2.1.1, D1): it asks recursive name servers that validate, and says of each
 * answer whether it is secure. The servers do the validating; whether their word counts is settled by `trustAd` (D4)
 * and by the self-test.
 *
 * @module
 */

import type { Answer, Failure, Lookup, RecordType } from './answer'
import { type AskOptions, type QueryReport, askServer, askServers, isFailure } from './ask'
import { createCache } from './cache'
import { type ChainEnd, beginChain, followReply } from './chain'
import { malformed } from './failure'
import { createLimit } from './limit'
import type { Question } from './message'
import { isDomainName } from './names'
import type { Server } from './resolv-conf'
import { type ResolverHealth, createTrust, testServer } from './self-test'
import { type ServerOrder, createServerOrder } from './server-order'
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
/** More queries at once than this overflow the receive buffer of a name server, and are lost. Each may need a TCP connection, too. */
const MAX_LOOKUPS_AT_A_TIME = 200

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
  const ask: AskOptions = { ...options, now, signal: closing.signal, attempts: Math.max(1, options.attempts) }
  const order = createServerOrder(options.servers, now)
  const cache = createCache<Answer>(options.cacheSize)
  const limit = createLimit(MAX_LOOKUPS_AT_A_TIME)
  const pending = new Map<string, Promise<Kept>>()
  const trust = createTrust(options.trustAd)
  let health: ResolverHealth | undefined

  const resolve = async (name: string, type: RecordType, key: string): Promise<Kept> => {
    const { answer, size } = await limit(() => {
      // its time begins when it is asked: whoever has to wait for a place is not failed for it
      const deadline = now() + options.timeout * options.servers.length
      return resolveChain(name, type, order, deadline, ask)
    })
    const expires = now() + (answer.status === 'failed' ? FAILURE_TTL : answer.ttl)
    if (expires > now() && !closing.signal.aborted) cache.set(key, answer, expires, size)
    return { answer, expires }
  }

  const join = (name: string, type: RecordType, key: string): Promise<Kept> => {
    let kept = pending.get(key)
    if (kept === undefined) {
      kept = resolve(name, type, key).finally(() => pending.delete(key))
      pending.set(key, kept)
    }
    return kept
  }

  /** What is given out: the time that is left, and "secure" only as long as the servers' word for it counts. */
  const present = ({ answer, expires }: Kept): Answer => {
    if (answer.status === 'failed') return answer
    const security = answer.security === 'secure' && trust.isBelieved() ? 'secure' : 'insecure'
    return { ...answer, security, ttl: Math.max(0, expires - now()) }
  }

  const lookupAny = async (name: string, type: RecordType, fresh: boolean): Promise<Answer> => {
    if (closing.signal.aborted) return failed(name, CLOSED).answer
    const asked = toQuestionName(name)
    const key = `${type} ${asked}`
    const kept = fresh ? undefined : cache.get(key, now())
    if (kept) return present({ answer: kept.value, expires: kept.expires }) // what is no domain name is never kept
    if (!isDomainName(asked)) return failed(name, malformed('not a domain name')).answer
    return present(await join(asked, type, key))
  }

  return {
    // the key holds the type, so that what comes back is of that type
    lookup: (name, type, { fresh = false } = {}) => lookupAny(name, type, fresh) as Promise<Answer<typeof type>>,
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
    if (ask.signal.aborted) return failed(name, CLOSED)
    trySilentServer(question, order, ask)
    if (isFailure(reply)) return failed(name, reply)

    const step = followReply(chain, reply, type)
    if ('failure' in step) return failed(name, step.failure)
    if ('end' in step) return { answer: toAnswer(step.end), size: step.end.chain.size }
    chain = step.next
  }
}

/** Nobody waits for it: if it answers, it is among the first again. */
function trySilentServer(question: Question, order: ServerOrder, ask: AskOptions): void {
  const server = order.dueForTrial()
  if (server === undefined) return
  void askServer(server, question, ask).then((outcome) => {
    if (!isFailure(outcome)) order.answered(server)
  })
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

function failed(name: string, failure: Failure): { answer: Answer; size: number } {
  return { answer: { status: 'failed', name, failure }, size: 0 }
}
