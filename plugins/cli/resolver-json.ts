/**
 * The name servers for programs, as explain, probe and resolver have them.
 *
 * @module
 */

import type { NameServers } from '../lib/delivery'
import type { ResolverHealth } from '../lib/dns'

export function resolverJson(
  { servers, secureAnswers }: ResolverHealth,
  { trustAd, because, explicit, selfTestNames }: NameServers,
): Readonly<Record<string, unknown>> {
  return {
    servers: servers.map(({ server, answered, validates, text }) => ({
      ...{ address: server.address, port: server.port, answered, validates, text },
    })),
    explicit,
    selfTest: selfTestNames,
    trustAd,
    because,
    secureAnswers,
  }
}
