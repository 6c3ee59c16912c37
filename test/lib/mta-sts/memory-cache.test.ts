import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StsCache } from '../../../dist/lib/mta-sts/index.js'
import { createMemoryCache } from '../../../dist/lib/mta-sts/memory-cache.js'
import { readOnlyCache } from '../../../dist/lib/mta-sts/read-only.js'
import { policyOf, policyText } from './world.ts'

/** A cache whose policies take nine million characters each; it notes what is read. */
function largePolicies(): { readonly cache: StsCache; readonly reads: string[] } {
  const reads: string[] = []
  const policy = { ...policyOf(policyText('enforce')), text: 'x'.repeat(9_000_000) }
  const read = (domain: string) => {
    reads.push(domain)
    const value = { domain, id: '1', policy, fetchedAt: 0, usedAt: 0, refreshAt: undefined, failures: 0 }
    return Promise.resolve({ ok: true, value } as const)
  }
  return { cache: { ...readOnlyCache(undefined), read }, reads }
}

describe('policies in memory', () => {
  test('are bounded by their size: those that were not asked for longest go first', async () => {
    const { cache, reads } = largePolicies()
    const memory = createMemoryCache(cache, () => 0)
    for (const domain of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await memory.read(domain)
    assert.deepEqual(reads, ['a', 'b', 'c', 'd', 'b'])
  })

  test('are not believed when the cache is begun anew before it has a generation', async () => {
    const cache = { ...readOnlyCache(undefined), save: () => Promise.resolve({ ok: true, value: undefined } as const) }
    const memory = createMemoryCache(cache, () => 0)
    const policy = policyOf(policyText('enforce'))
    await memory.keep({ domain: 'a', id: '1', policy, fetchedAt: 0, usedAt: 0, refreshAt: undefined, failures: 0 })
    assert.deepEqual(await memory.read('a'), { ok: true, value: undefined })
  })
})
