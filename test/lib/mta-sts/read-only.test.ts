import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSqliteCache, readOnlyCache } from '../../../dist/lib/mta-sts/index.js'
import { createInstance, NOW, policy } from '../../cli/ground.ts'

const FAILED = { id: 'x', at: NOW, failure: { type: 'sts-policy-fetch-error', text: 'ECONNREFUSED' } } as const

describe('a cache that is only looked at', () => {
  test('has what the workers wrote', async (t) => {
    const { cache } = createInstance(t)
    await cache.save(policy('good.test'))
    await cache.noteFailedFetch('good.test', FAILED)
    const looking = readOnlyCache(cache)
    assert.deepEqual(await looking.read('good.test'), await cache.read('good.test'))
    assert.deepEqual(await looking.listPolicies(), await cache.listPolicies())
    assert.deepEqual(await looking.failedFetch('good.test', 'x'), { ok: true, value: FAILED })
    assert.deepEqual(await looking.lastFailure('good.test'), { ok: true, value: FAILED })
  })

  test('says that it has done what it was told, and has done nothing', async (t) => {
    const { cache } = createInstance(t)
    await cache.save(policy('good.test'))
    const looking = readOnlyCache(cache)
    const done = [
      await looking.save(policy('new.test')),
      await looking.claim('good.test', 'me', NOW, NOW + 1),
      await looking.renewClaim('good.test', 'me', NOW, NOW + 2),
      await looking.noteFailedFetch('good.test', FAILED),
      await looking.noteUses(new Map([['good.test', NOW + 9]])),
      await looking.noteFailedRefresh('good.test', NOW),
      await looking.removeOld(NOW * 2),
      await looking.requestRefetch('good.test', NOW),
      await looking.dropPolicy('good.test'),
      await looking.release('good.test', 'me'),
    ]
    for (const { ok } of done) assert.equal(ok, true)
    assert.deepEqual(await cache.lastFailure('good.test'), { ok: true, value: undefined })
    assert.deepEqual(await cache.takeRequests(), { ok: true, value: [] })
    assert.deepEqual(await cache.claim('good.test', 'other', NOW, NOW + 1), { ok: true, value: true })
    const listed = await cache.listPolicies()
    assert.ok(listed.ok)
    assert.deepEqual(
      listed.value.map(({ domain, usedAt, failures }) => [domain, usedAt, failures]),
      [['good.test', policy('good.test').usedAt, 0]],
    )
  })

  test('that is not there yet is empty', async () => {
    const looking = readOnlyCache(undefined)
    assert.deepEqual(await looking.read('good.test'), { ok: true, value: undefined })
    assert.deepEqual(await looking.listPolicies(), { ok: true, value: [] })
    looking.close()
  })

  test('as a file: reading works, writing does not', async (t) => {
    const { cache, path } = createInstance(t)
    await cache.save(policy('good.test'))
    const file = createSqliteCache({ path, log: () => undefined, create: false, readOnly: true })
    t.after(() => file.close())
    const read = await file.read('good.test')
    assert.equal(read.ok && read.value?.domain, 'good.test')
    const saved = await file.save(policy('new.test'))
    assert.ok(!saved.ok)
    assert.match(saved.text, /readonly/)
  })
})
