/**
 * Resolvers for tests: short time-outs, AD believed, closed when the test ends.
 *
 * @module
 */

import type { TestContext } from 'node:test'
import { type Resolver, type ResolverOptions, createResolver } from '../../../dist/lib/dns/index.js'
import type { ScriptedServer } from './scripted-server.ts'

export function resolverFor(
  t: TestContext,
  servers: readonly Pick<ScriptedServer, 'server'>[],
  options: Partial<ResolverOptions> = {},
): Resolver {
  const resolver = createResolver({
    servers: servers.map(({ server }) => server),
    trustAd: true,
    timeout: 300,
    attempts: 1,
    cacheSize: 100,
    selfTestNames: ['signed.test'],
    ...options,
  })
  t.after(() => resolver.close())
  return resolver
}
