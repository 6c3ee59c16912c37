/**
 * Our side: a resolver as a worker has it, called as a delivery calls it.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createResolver } from '../../dist/lib/dns/index.js'
import { createPolicyFetch, createStsResolver, matchesPolicy } from '../../dist/lib/mta-sts/index.js'
import { openCache } from '../../test/lib/mta-sts/world.ts'
import { mxOf } from './names.ts'
import type { Side } from './side.ts'

export function startOurs(rootFile: string): Side {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sts-'))
  const dns = createResolver({
    servers: [{ address: '127.0.0.1', port: 53 }],
    trustAd: true,
    timeout: 5000,
    attempts: 3,
    cacheSize: 10_000,
    selfTestNames: [],
  })
  const fetch = createPolicyFetch({
    port: 443,
    extraRoots: [readFileSync(rootFile, 'utf8')],
    timeout: 60_000,
    allowPrivateAddresses: true,
    lookup: dns.lookup,
  })
  const cache = openCache(join(folder, 'store.db'), (_, text) => console.error(text))
  const log = (): void => undefined
  const sts = createStsResolver({ lookup: dns.lookup, fetch, cache, log, refresh: 86_400_000, timeout: 60_000 })
  return {
    decide: async (domain) => {
      const { policy, text } = await sts.policyFor(domain)
      if (policy?.mode !== 'enforce' || !matchesPolicy(policy, mxOf(domain))) throw new Error(`${domain}: ${text}`)
    },
    stop: async () => {
      await sts.close()
      dns.close()
      rmSync(folder, { recursive: true })
    },
  }
}
