/**
 * A real Haraka whose store is a real PostgreSQL, which is not always there: all mail goes out at once, the log says what is wrong, and
 * what was counted meanwhile is in the store later, once.
 */
import assert from 'node:assert/strict'
import { renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createStore } from '../../dist/lib/store/index.js'
import { realCommand } from '../cli/ground.ts'
import { fetchesOf } from '../e2e/sts-evidence.ts'
import { assertDeferred, sendTo, tryAgain } from '../e2e/telling.ts'
import { assertNothingInClear, privateInternet, type PrivateInternet } from '../internet/index.ts'
import { outcomesOf } from '../support/modules.ts'
import { noPostgres, postgresServer, signal, startServer, type PostgresServer } from '../support/postgres.ts'
import { assertCounted, assertDeliversAtOnce, assertDeliversTo, DURABLE, onPostgres } from './on-postgres.ts'

interface World {
  readonly net: PrivateInternet
  readonly database: string
  readonly url: string
}

async function world(t: TestContext, server: PostgresServer): Promise<World> {
  const database = server.createDatabase()
  const url = server.url(database)
  return { net: await privateInternet(t, { settings: onPostgres(url) }), database, url }
}

const isKept = (server: PostgresServer, database: string, domain: string): boolean =>
  server.sql(database, `SELECT count(*) FROM sts_policy WHERE domain = '${domain}'`) === '1'

/** The log has said once that something is wrong, and what, and when it was over. Nothing was lost. */
async function assertTold(net: PrivateInternet, trouble: RegExp): Promise<void> {
  const { haraka } = net
  const isOver = () => haraka.log.find(/\[NOTICE\].*store available again/).length > 0
  for (let tries = 0; tries < 20 && !isOver(); tries++) {
    await assertDeliversTo(net, `told${tries}.test`) // whatever comes next tells
    await sleep(500)
  }
  assert.ok(isOver())
  const told = haraka.log.find(/store unavailable/)
  assert.equal(told.length, 1, told.join('\n'))
  assert.match(told.join(), /\[CRIT\].*store unavailable: (?:PostgreSQL: |no answer)/)
  assert.match(told.join(), trouble)
  assert.deepEqual(haraka.log.find(/ are lost/), [])
  assert.deepEqual(haraka.log.find(/postgresql:\/\//), []) // it may hold a password
}

describe('Haraka on PostgreSQL', { skip: noPostgres }, () => {
  test('that is down at its start: mail goes out at once, and what was learnt is kept when it is there', async (t) => {
    const server = await startServer(...DURABLE)
    const database = server.createDatabase()
    await server.stop()
    const url = server.url(database)
    const net = await privateInternet(t, { settings: onPostgres(url) })
    await assertDeliversTo(net, 'early.test')
    await net.haraka.log.waitFor(/\[CRIT\].*store unavailable/)
    await server.start()
    await net.haraka.log.waitFor(/\[NOTICE\].*store available again/, { patience: 30_000 })
    await assertDeliversTo(net, 'later.test')
    await assertCounted(url, { 'early.test': 1, 'later.test': 1 })
    assert.ok(isKept(server, database, 'later.test'))
    await assertTold(net, /connect ECONNREFUSED/)
  })

  test('that hangs, then dies, then is back: mail goes on, policies hold, and nobody lends a hand', async (t) => {
    const server = await startServer(...DURABLE)
    const { net, database, url } = await world(t, server)
    await assertDeliversTo(net, 'before.test')
    await assertCounted(url, { 'before.test': 1 })
    signal(server, 'SIGSTOP')
    await assertDeliversAtOnce(net, 'before.test')
    await assertDeliversTo(net, 'hanging.test', 'another.test')
    signal(server, 'SIGKILL')
    await server.stop() // when it is gone
    await assertDeliversTo(net, 'dead.test')
    await server.start()
    await assertDeliversTo(net, 'back.test')
    await assertCounted(url, {
      ...{ 'before.test': 2, 'hanging.test': 1, 'another.test': 1, 'dead.test': 1, 'back.test': 1 },
    })
    assert.ok(isKept(server, database, 'before.test'))
    await assertTold(net, /no answer from the store within|the connection has ended/)
  })

  test('that is restarted again and again while mail goes out: every session counts once', async (t) => {
    const server = await startServer(...DURABLE)
    const { net, url } = await world(t, server)
    net.domain('often.test', {})
    for (const how of ['SIGINT', 'SIGQUIT', 'SIGINT', 'SIGQUIT'] as const) {
      await Promise.all([0, 1, 2].map(() => assertDeliversAtOnce(net, 'often.test')))
      await server.stop(how)
      await server.start()
    }
    await assertCounted(url, { 'often.test': 12 })
    assert.deepEqual(net.haraka.log.find(/ are lost/), [])
  })

  test('that is out of connections', async (t) => {
    const server = await startServer(...DURABLE, 'max_connections=5', 'superuser_reserved_connections=3')
    const database = server.createDatabase()
    server.sql(database, 'CREATE ROLE poor LOGIN; GRANT CREATE ON SCHEMA public TO poor')
    const url = server.url(database).replace('tester', 'poor')
    const others = [0, 1].map(() => new pg.Client({ connectionString: url }))
    for (const other of others) await other.connect()
    const net = await privateInternet(t, { settings: onPostgres(url) })
    await assertDeliversTo(net, 'none-left.test')
    await net.haraka.log.waitFor(/store unavailable/)
    await Promise.all(others.map((other) => other.end()))
    await assertTold(net, /remaining connection slots are reserved|too many clients/)
    await net.haraka.stop() // so that there are connections for us
    await assertCounted(url, { 'none-left.test': 1 })
  })

  test('that is read-only: what it knows is used, what it is told is kept until it can be written', async (t) => {
    const server = await postgresServer()
    const { net, database, url } = await world(t, server)
    await assertDeliversTo(net, 'known.test')
    await assertCounted(url, { 'known.test': 1 })
    server.sql(database, `ALTER DATABASE ${database} SET default_transaction_read_only = on`)
    const us = `FROM pg_stat_activity WHERE application_name = 'outbound-tls' AND datname = '${database}'`
    server.sql('postgres', `SELECT count(pg_terminate_backend(pid)) ${us}`)
    await assertDeliversAtOnce(net, 'known.test')
    await assertDeliversTo(net, 'unknown.test')
    await net.haraka.log.waitFor(/store unavailable/)
    assert.equal(fetchesOf(net, 'known.test'), 1)
    server.sql('postgres', `ALTER DATABASE ${database} RESET ALL`)
    await assertCounted(url, { 'known.test': 2, 'unknown.test': 1 })
    await assertTold(
      net,
      /cannot execute [A-Z ]+ in a read-only transaction|terminating connection|the connection has ended/,
    )
  })

  test('whose disk is full', async (t) => {
    const server = await startServer(...DURABLE)
    const { net, database, url } = await world(t, server)
    const outcomes = outcomesOf(createStore({ engine: 'postgres', url }, () => undefined))
    assert.ok((await outcomes.policiesOf('full.test', { start: 0, end: 1 })).ok) // makes the tables
    outcomes.end()
    const file = join(
      server.folder,
      'data',
      server.sql(database, "CHECKPOINT; SELECT pg_relation_filepath('outcome_count')"),
    )
    await server.stop()
    renameSync(file, `${file}.kept`)
    symlinkSync('/dev/full', file) // which gives ENOSPC to whoever writes
    await server.start()
    await assertDeliversTo(net, 'full.test', 'also.test')
    await net.haraka.log.waitFor(/store unavailable/)
    await server.stop()
    renameSync(`${file}.kept`, file)
    await server.start()
    await assertCounted(url, { 'full.test': 1, 'also.test': 1 })
    await assertTold(net, /No space left on device/)
  })

  test('of two hosts: they share their policies and count together, and the command sees and drops them', async (t) => {
    const server = await startServer()
    const { net, url } = await world(t, server)
    const other = await net.anotherHaraka()
    t.after(() => other.stop())
    await assertDeliversTo(net, 'shared.test')
    await assertDeliversAtOnce({ ...net, haraka: other }, 'shared.test')
    assert.equal(fetchesOf(net, 'shared.test'), 1)
    await assertCounted(url, { 'shared.test': 2 })

    const command = (...words: string[]) => realCommand(words, { cwd: other.folder })
    const shown = await command('sts', 'show', 'shared.test')
    assert.deepEqual([shown.code, shown.err], [0, ''])
    assert.match(shown.out, /mode +enforce/)
    assert.equal((await command('sts', 'drop', 'shared.test')).code, 0)
    assert.equal((await command('sts', 'show', 'shared.test')).code, 1)
    await server.stop()
    const failed = await command('sts', 'show')
    assert.equal(failed.code, 3)
    assert.match(failed.err, /the policy cache: PostgreSQL: connect ECONNREFUSED/)
  })

  test('of two hosts: a certificate that one of them has accepted is known to the other', async (t) => {
    const server = await startServer(...DURABLE)
    const { net, database } = await world(t, server)
    const other = await net.anotherHaraka()
    t.after(() => other.stop())
    net.domain('invalid.test')
    const host = net.server('mx1.invalid.test', { certificate: 'self-signed' })
    const first = await sendTo(net, 'invalid.test')
    assertDeferred(first, '4.7.5', /refused at a first attempt/)
    assert.equal((await tryAgain(net, first)).fate, 'delivered')
    const isKnown = () => server.sql(database, 'SELECT count(*) FROM known_cert') === '1'
    for (let tries = 0; tries < 100 && !isKnown(); tries++) await sleep(50)
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => other.send({ to: 'one@invalid.test' })))
    assert.equal(outcomes.filter(({ delivered }) => delivered.length === 1).length, 50)
    assertNothingInClear(host)
  })
})
