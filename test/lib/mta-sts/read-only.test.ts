import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { readOnlyCache } from '../../../dist/lib/mta-sts/index.js'
import { createInstance, NOW, policy } from '../../cli/ground.ts'
import { openCache } from './world.ts'

const READ_ONLY = { create: false, readOnly: true }
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
      await looking.claim('good.test', 'me', 1),
      await looking.renewClaim('good.test', 'me', 2),
      await looking.noteFailedFetch('good.test', FAILED),
      await looking.noteUses(['good.test'], NOW + 9),
      await looking.noteFailedRefresh('good.test', NOW),
      await looking.removeOld(0),
      await looking.requestRefetch('good.test'),
      await looking.dropPolicy('good.test'),
      await looking.release('good.test', 'me'),
    ]
    for (const { ok } of done) assert.equal(ok, true)
    assert.deepEqual(await cache.lastFailure('good.test'), { ok: true, value: undefined })
    assert.deepEqual(await cache.takeRequests(), { ok: true, value: [] })
    assert.deepEqual(await cache.claim('good.test', 'other', 1), { ok: true, value: true })
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

  test('that has a file without its tables is empty, and makes none', async (t) => {
    const { path } = createInstance(t)
    const database = new DatabaseSync(path)
    t.after(() => database.close())
    database.exec('CREATE TABLE of_another_module (a)')
    const looking = readOnlyCache(openCache(path, undefined, READ_ONLY))
    assert.deepEqual(await looking.read('good.test'), { ok: true, value: undefined })
    assert.deepEqual(await looking.generation(), { ok: true, value: '' })
    looking.close()
    assert.equal(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables, 1)
  })

  test('that has no file is empty, and makes none', async (t) => {
    const { path } = createInstance(t)
    const looking = readOnlyCache(openCache(path, undefined, READ_ONLY))
    assert.deepEqual(await looking.read('good.test'), { ok: true, value: undefined })
    looking.close()
    assert.ok(!existsSync(path))
  })

  test('that cannot be read says so', async (t) => {
    const { path } = createInstance(t)
    writeFileSync(path, 'garbage'.repeat(1000))
    const looking = readOnlyCache(openCache(path, undefined, READ_ONLY))
    assert.equal((await looking.read('good.test')).ok, false)
    looking.close()
  })

  test('as a file: reading works, writing does not', async (t) => {
    const { cache, path } = createInstance(t)
    await cache.save(policy('good.test'))
    const file = openCache(path, undefined, READ_ONLY)
    t.after(() => file.close())
    const read = await file.read('good.test')
    assert.equal(read.ok && read.value?.domain, 'good.test')
    const saved = await file.save(policy('new.test'))
    assert.ok(!saved.ok)
    assert.match(saved.text, /readonly/)
  })
})
