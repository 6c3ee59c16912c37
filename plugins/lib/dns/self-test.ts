/**
 * Whether our name servers validate (D1): names that are known to be signed must come with AD. Resolvers that do not
 * validate, or stopped to, would otherwise keep the whole queue waiting, or say "insecure" about everything unnoticed.
 *
 * @module
 */

import type { AskOptions } from './ask'
import { askServer, isFailure } from './ask'
import { failureOf, isAnswer } from './failure'
import { type NameServer, describeServer } from './resolv-conf'

/** One server's result. */
export interface ServerHealth {
  readonly server: NameServer
  /** every signed name that it had an answer for came with AD, and it had one */
  readonly validates: boolean
  /** whether it had an answer for any of the names. Without one nothing is known: it neither validates nor was seen not to */
  readonly answered: boolean
  /** for people: what was seen */
  readonly text: string
}

/** The result of a self-test. */
export interface ResolverHealth {
  readonly at: Date
  /** all servers validate */
  readonly validates: boolean
  /** whether the AD bit of these servers is believed at all (D4) */
  readonly trustAd: boolean
  /**
   * whether answers can be secure from now on: AD is believed, and no server has been seen to answer a signed name
   * without it since it last passed. A server that does not answer is no reason: else the operator of the test's names
   * from resolving would turn DANE off
   */
  readonly secureAnswers: boolean
  readonly servers: readonly ServerHealth[]
}

/** Asks one server for each of the names. Never rejects. */
export async function testServer(
  server: NameServer,
  names: readonly string[],
  options: AskOptions,
): Promise<ServerHealth> {
  const results = await Promise.all(names.map((name) => testName(server, name, options)))
  const answered = results.filter(({ authenticated }) => authenticated !== undefined)
  return {
    server,
    validates: answered.length > 0 && answered.every(({ authenticated }) => authenticated === true),
    answered: answered.length > 0,
    text: `${describeServer(server)}: ${results.map(({ text }) => text).join('; ')}`,
  }
}

async function testName(
  server: NameServer,
  name: string,
  options: AskOptions,
): Promise<{ authenticated: boolean | undefined; text: string }> {
  const reply = await askServer(server, { name, type: 'SOA' }, options)
  if (isFailure(reply)) return { authenticated: undefined, text: `${name}: ${reply.text}` }
  if (!isAnswer(reply)) return { authenticated: undefined, text: `${name}: ${failureOf(reply).text}` }
  if (reply.authenticated) return { authenticated: true, text: `${name} comes with AD` }
  return { authenticated: false, text: `${name} is signed, but comes without AD: this server does not validate DNSSEC` }
}

/** Whether the servers' word that an answer is authentic counts. */
export interface Trust {
  isBelieved(): boolean
  /** Takes the results of a self-test into account. */
  weigh(results: readonly ServerHealth[]): void
}

/** @param trustAd - as configured (D4); no self-test makes up for it */
export function createTrust(trustAd: boolean): Trust {
  const notValidating = new Set<NameServer>()
  return {
    isBelieved: () => trustAd && notValidating.size === 0,
    weigh(results) {
      for (const { server, answered, validates } of results) {
        if (validates) notValidating.delete(server)
        else if (answered) notValidating.add(server) // silence proves nothing either way: what was seen before stands
      }
    },
  }
}
