/**
 * One question to the name servers: which of them, how often, how long, and what a failure to answer means
 * (RFC 7672 §2.1.1: bogus and unreachable are both errors, D3, D5).
 *
 * @module
 */

import { randomInt } from 'node:crypto'
import type { DnsFailure, FailureClass } from './answer'
import { failureOf, isAnswer, malformed, rcodeName } from './failure'
import { type DnsQuestion, RCODE, type DnsReply, encodeQuery, readReply, relevance } from './message'
import { type NameServer, describeServer } from './resolv-conf'
import type { ServerOrder } from './server-order'
import type { Exchange } from './transport'

/** One query that was sent, for metrics and the debug log. */
export interface QueryReport {
  readonly name: string
  readonly type: string
  readonly server: NameServer
  readonly milliseconds: number
  /** the RCODE's name, or the {@link FailureClass} where no reply came: few values, fit for a metric label */
  readonly result: string
}

/** How servers are asked. */
export interface AskOptions {
  /** milliseconds, for one server's answer */
  readonly timeout: number
  /** rounds over the servers; within a round, how often a datagram is sent to one that stays silent */
  readonly attempts: number
  readonly now: () => number
  /** once aborted, queries do not keep the process alive */
  readonly signal: AbortSignal
  /** how a query reaches its server */
  readonly exchange: (exchange: Exchange) => Promise<Buffer | DnsFailure>
  readonly onQuery?: ((query: QueryReport) => void) | undefined
}

/** Asks one server once. The reply may be any: errors of the server's own are replies too. */
export async function askServer(
  server: NameServer,
  question: DnsQuestion,
  options: AskOptions & { readonly checkingDisabled?: boolean },
): Promise<DnsReply | DnsFailure> {
  const start = options.now()
  const id = randomInt(0x10000)
  const message = await options.exchange({
    server,
    query: encodeQuery(question, id, options.checkingDisabled ?? false),
    timeout: options.timeout,
    sends: options.attempts,
    relevance: (received) => relevance(received, question, id),
    signal: options.signal,
  })
  const reply = Buffer.isBuffer(message)
    ? (readReply(message, question) ?? malformed(`malformed answer from ${describeServer(server)}`))
    : message
  options.onQuery?.({
    ...question,
    server,
    milliseconds: options.now() - start,
    result: isFailure(reply) ? reply.class : rcodeName(reply.rcode),
  })
  return reply
}

export function isFailure(outcome: DnsReply | DnsFailure): outcome is DnsFailure {
  return 'class' in outcome
}

/**
 * Asks the servers in their order until one has an answer.
 *
 * A server that stays silent is not asked again for this question, nor is one that refuses or finds the name bogus: it
 * would only say it again. Others get another round, if that can begin before one time-out has passed. A name whose own
 * servers are dead takes one time-out where ours answer other questions meanwhile, and else one of each of ours at most.
 *
 * @param deadline - on the clock of `options.now`; no server is asked later
 * @returns a reply with NOERROR or NXDOMAIN; or the failure that tells most
 */
export async function askServers(
  question: DnsQuestion,
  order: ServerOrder,
  deadline: number,
  options: AskOptions,
): Promise<DnsReply | DnsFailure> {
  const lastRoundBegins = options.now() + options.timeout
  const failures: DnsFailure[] = []
  let servers = order.list()
  for (let round = 0; round < options.attempts && servers.length > 0; round++) {
    if (round > 0 && options.now() >= lastRoundBegins) break
    const again: NameServer[] = []
    for (const server of servers) {
      const asked = options.now()
      const timeout = Math.min(options.timeout, deadline - asked)
      if (timeout <= 0) return mostTelling(failures)
      const outcome = await askForAnswer(server, question, { ...options, timeout }, !failures.some(isServerFailure))
      const isDead = noteLife(order, server, outcome, timeout < options.timeout ? undefined : asked)
      if (!isFailure(outcome)) {
        // who finds it bogus is not overruled by who did not validate it
        if (outcome.authenticated || !failures.some(isBogus)) return outcome
        continue
      }
      failures.push(outcome)
      if (outcome.class === 'timeout' && !isDead) return mostTelling(failures)
      if (DESERVES_ANOTHER_ROUND.has(outcome.class)) again.push(server)
    }
    servers = again
  }
  return mostTelling(failures)
}

const DESERVES_ANOTHER_ROUND: ReadonlySet<FailureClass> = new Set(['server-failure', 'malformed', 'network'])

/**
 * @param asked - when, or undefined where it had less than its time: then it is not blamed for silence
 * @returns whether its silence is its own, and another one should be asked
 */
function noteLife(
  order: ServerOrder,
  server: NameServer,
  outcome: DnsReply | DnsFailure,
  asked: number | undefined,
): boolean {
  const isSilent = isFailure(outcome) && (outcome.class === 'timeout' || outcome.class === 'network')
  if (isSilent) return asked === undefined || order.silent(server, asked)
  order.answered(server)
  return false
}

/** @param mayCheck - whether a bare SERVFAIL may be looked into with one more query */
async function askForAnswer(
  server: NameServer,
  question: DnsQuestion,
  options: AskOptions,
  mayCheck: boolean,
): Promise<DnsReply | DnsFailure> {
  const begun = options.now()
  const reply = await askServer(server, question, options)
  if (isFailure(reply) || isAnswer(reply)) return reply
  const failure = failureOf(reply)
  const isBare = reply.rcode === RCODE.SERVFAIL && reply.extendedErrors.length === 0
  if (!isBare || !mayCheck) return failure

  const left = options.timeout - (options.now() - begun)
  if (left <= 0) return failure
  const unchecked = await askServer(server, question, { ...options, timeout: left, checkingDisabled: true })
  if (isFailure(unchecked) || !isAnswer(unchecked)) return failure
  return { class: 'bogus', text: 'SERVFAIL, DNSSEC bogus (there is an answer with checking disabled)' }
}

function isBogus(failure: DnsFailure): boolean {
  return failure.class === 'bogus'
}

function isServerFailure(failure: DnsFailure): boolean {
  return failure.class === 'server-failure'
}

/** What says something about the name comes before what says something about a server. */
const TELLING = ['bogus', 'server-failure', 'refused', 'malformed', 'timeout', 'network'] as const

function mostTelling(failures: readonly DnsFailure[]): DnsFailure {
  const [first] = failures.toSorted((a, b) => TELLING.indexOf(a.class) - TELLING.indexOf(b.class))
  return first ?? { class: 'timeout', text: 'not asked: there is no name server' }
}
