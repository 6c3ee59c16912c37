/** Deliveries while the store of the policy cache does not work: it is looked past, in a time that is no matter to a delivery. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStsCache, DELIVERY_LIMIT } from '../../../dist/lib/mta-sts/index.js'
import type { Store } from '../../../dist/lib/store/index.js'
import { noPostgres, signal, startServer } from '../../support/postgres.ts'
import { open, sqlite } from '../../support/store.ts'
import { sql as probeSql } from '../store/probe.ts'
import { createWorld, DOMAIN, UNREACHABLE, type World } from './world.ts'

interface Outage {
  readonly store: Store
  readonly begin: () => Promise<unknown>
  readonly end: () => Promise<unknown>
}

async function onPostgres(t: TestContext, how: 'paused' | 'killed'): Promise<Outage> {
  const server = await startServer()
  const store = open(t, { engine: 'postgres', url: server.url(server.createDatabase()) })
  return how === 'paused'
    ? {
        store,
        begin: () => Promise.resolve(signal(server, 'SIGSTOP')),
        end: () => Promise.resolve(signal(server, 'SIGCONT')),
      }
    : { store, begin: () => server.stop('SIGQUIT'), end: () => server.start() }
}

function onSqlite(t: TestContext): Promise<Outage> {
  const store = sqlite.store(t)
  let blocked: Promise<unknown> | undefined
  return Promise.resolve({
    store,
    begin: () => {
      blocked = store.module(probeSql).block(9000)
      return Promise.resolve()
    },
    end: async () => blocked,
  })
}

/** A world whose workers, and so their deliveries, wait for the cache as they do in Haraka. */
async function worldOn(t: TestContext, { store }: Outage): Promise<World> {
  const world = createWorld(t, () => createStsCache({ store, end: () => undefined }, DELIVERY_LIMIT))
  for (let tries = 0; tries < 50 && !(await world.cache().read(DOMAIN)).ok; tries++) await sleep(100) // the thread has to start
  return world
}

for (const [what, skip, outage] of [
  ['whose thread is held up', false, onSqlite],
  ['on a PostgreSQL that hangs', noPostgres, (t: TestContext) => onPostgres(t, 'paused')],
  ['on a PostgreSQL that is killed', noPostgres, (t: TestContext) => onPostgres(t, 'killed')],
] as const) {
  describe(`a cache ${what}`, { skip }, () => {
    test('is looked past: known policies apply, others are looked up live, and kept until they can be saved', async (t) => {
      const its = await outage(t)
      const world = await worldOn(t, its)
      const worker = world.worker()
      await worker.policyFor(DOMAIN)
      await its.begin()
      world.clock += 2000

      assert.equal((await worker.policyFor(DOMAIN)).source, 'cached')
      assert.equal((await worker.policyFor('new.test')).source, 'fetched')
      for (let count = 0; count < 100; count++) await worker.policyFor(`d${count}.test`)
      assert.equal((await worker.policyFor('new.test')).source, 'cached')

      await its.end()
      for (let tries = 0; tries < 200 && !(await world.cache().read(DOMAIN)).ok; tries++) await sleep(100)
      await worker.close()
      for (const domain of ['new.test', 'd99.test']) {
        const saved = await world.cache().read(domain)
        assert.equal(saved.ok && saved.value?.id, '1')
      }
    })

    test('and a policy that cannot be had live: nothing is known, so mail waits', async (t) => {
      const its = await outage(t)
      const world = await worldOn(t, its)
      await its.begin()
      world.policy = UNREACHABLE
      const worker = world.worker()
      for (const evidence of [await worker.policyFor(DOMAIN), await worker.policyFor(DOMAIN)])
        assert.deepEqual([evidence.status, evidence.why], ['failed', 'cache-unreadable'])
      world.records = []
      assert.equal((await worker.policyFor('none.test')).status, 'none')
      await its.end()
    })
  })
}
