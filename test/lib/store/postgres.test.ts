/** What only a PostgreSQL server can do to a store. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Calls, Done } from '../../../dist/lib/store/index.js'
import { chainPem, createAuthority, issue } from '../../support/certificates.ts'
import { noPostgres, postgresServer, signal, startServer } from '../../support/postgres.ts'
import { open } from '../../support/store.ts'
import { child, says, start } from './child.ts'
import { sql } from './probe.ts'

interface World {
  readonly probe: Calls<typeof sql.methods>
  readonly log: string[]
}

function world(t: TestContext, url: string, limit?: number): World {
  const log: string[] = []
  const store = open(t, { engine: 'postgres', url }, (level, text) => log.push(`${level} ${text}`))
  return { probe: store.module(sql, limit), log }
}

async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

async function failure(done: Promise<Done<unknown>>): Promise<string> {
  const result = await done
  return result.ok ? 'it went well' : result.text
}

/** Until a call succeeds, which must be soon. */
async function succeeds(call: () => Promise<Done<unknown>>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    if ((await call()).ok) return
    await sleep(100)
  }
  await value(call())
}

describe('a PostgreSQL server', { skip: noPostgres }, () => {
  test('that is away fails calls at once, is told of once, and is used as soon as it is back', async (t) => {
    const server = await startServer('fsync=on', 'synchronous_commit=on')
    const database = server.createDatabase()
    const { probe, log } = world(t, server.url(database))
    await value(probe.add('a'))
    await server.stop('SIGQUIT')
    for (let count = 0; count < 5; count++)
      assert.match(await failure(probe.add('a')), /^PostgreSQL: (connect ECONNREFUSED|the connection has ended)/)
    await server.start()
    await succeeds(() => probe.add('b'))
    assert.deepEqual(await value(probe.all()), [
      { name: 'a', count: 1 },
      { name: 'b', count: 1 },
    ])
    assert.deepEqual(
      log.map((line) => line.replace(/:.*/, '')),
      ['crit store unavailable', 'notice store available again'],
    )
  })

  test('that does not answer fails calls in their time, and others at once', async (t) => {
    const server = await startServer()
    const { probe, log } = world(t, server.url(server.createDatabase()), 500)
    await value(probe.add('a'))
    signal(server, 'SIGSTOP')
    assert.match(await failure(probe.add('a')), /no answer from the store within 0.5 s/)
    for (let count = 0; count < 20; count++) assert.match(await failure(probe.add('a')), /the store does not answer/)
    assert.equal(log.length, 1)
    signal(server, 'SIGCONT')
    await sleep(5000)
    await succeeds(() => probe.add('b'))
  })

  test('that is read-only is read, and its text says so', async (t) => {
    const server = await postgresServer()
    const database = server.createDatabase()
    const { probe } = world(t, server.url(database))
    await value(probe.add('a'))
    server.sql(database, `ALTER DATABASE ${database} SET default_transaction_read_only = on`)
    const { probe: other, log } = world(t, server.url(database))
    assert.deepEqual(await value(other.all()), [{ name: 'a', count: 1 }])
    assert.match(await failure(other.add('a')), /cannot execute INSERT in a read-only transaction/)
    assert.deepEqual(await value(other.all()), [{ name: 'a', count: 1 }])
    assert.equal(log.length, 1) // that it can be read does not make it available again
    server.sql('postgres', `ALTER DATABASE ${database} RESET ALL`)
    await succeeds(() => other.add('a'))
    assert.deepEqual(
      log.map((line) => line.replace(/:.*/, '')),
      ['crit store unavailable', 'notice store available again'],
    )
  })

  test('of several that are named the one that can be written is used, also after a fail-over', async (t) => {
    const [first, second] = [await startServer(), await startServer()]
    const database = first.createDatabase()
    second.sql('postgres', `CREATE DATABASE ${database}`)
    const standby = 'default_transaction_read_only=on'
    await first.stop()
    await first.start(standby)
    const url = `postgresql://tester@127.0.0.1:${first.port},127.0.0.1:${second.port}/${database}`
    const { probe, log } = world(t, url)
    await value(probe.add('a'))
    assert.equal(second.sql(database, 'SELECT name FROM probe'), 'a')

    await second.stop('SIGQUIT')
    assert.match(await failure(probe.add('b')), /has ended|: it is read-only, 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
    await first.stop()
    await first.start() // promoted
    await second.start(standby)
    await succeeds(() => probe.add('c'))
    assert.equal(first.sql(database, 'SELECT name FROM probe'), 'c')
    assert.equal(log.at(-1), 'notice store available again')
  })

  test('that has started again with an empty disk gets its tables anew', async (t) => {
    const server = await postgresServer()
    const database = server.createDatabase()
    const { probe } = world(t, server.url(database))
    await value(probe.add('a'))
    server.sql('postgres', `DROP DATABASE ${database} WITH (FORCE)`)
    assert.match(await failure(probe.add('a')), /has ended|does not exist/)
    server.sql('postgres', `CREATE DATABASE ${database}`)
    await succeeds(() => probe.add('b'))
    assert.deepEqual(await value(probe.all()), [{ name: 'b', count: 1 }])
  })

  test('that is out of connections is told of, and used when there are some', async (t) => {
    const server = await postgresServer()
    const database = server.createDatabase()
    server.sql(
      database,
      `CREATE ROLE poor LOGIN; ALTER DATABASE ${database} OWNER TO poor; ALTER ROLE poor CONNECTION LIMIT 0`,
    )
    const { probe, log } = world(t, server.url(database).replace('tester', 'poor'))
    assert.match(await failure(probe.add('a')), /too many connections for role "poor"/)
    server.sql(database, 'ALTER ROLE poor CONNECTION LIMIT 2')
    await succeeds(() => probe.add('a'))
    await Promise.all(Array.from({ length: 50 }, () => value(probe.add('a')))) // with two of them
    assert.equal(log.length, 2)
  })

  test('frees others from a process that is stopped in mid-transaction, after some seconds', async (t) => {
    const server = await postgresServer()
    const options = { engine: 'postgres', url: server.url(server.createDatabase()) } as const
    const { probe } = world(t, options.url)
    await value(probe.add('a'))
    const stopped = start(t, `void probe.hold('b', 60_000); setInterval(() => console.log('holds'), 300)`, options)
    await says(stopped, 'holds')
    stopped.kill('SIGSTOP')
    await succeeds(() => probe.addBatch('w', 1, ['a']))
    assert.deepEqual(await value(probe.all()), [{ name: 'a', count: 2 }])
  })

  test('a slow read does not hold up what others ask', async (t) => {
    const server = await postgresServer()
    const { probe } = world(t, server.url(server.createDatabase()))
    await value(probe.add('a'))
    let isOver = false
    const slow = value(probe.all('SELECT 1 AS n FROM (SELECT pg_sleep(3)) AS s')).then(() => (isOver = true))
    for (let count = 0; count < 20; count++) await value(probe.add('a'))
    assert.equal(isOver, false)
    await slow
  })

  test('commits nothing where a statement has failed before', async (t) => {
    const server = await postgresServer()
    const { probe } = world(t, server.url(server.createDatabase()))
    assert.match(await failure(probe.swallow()), /a statement has failed before/)
    assert.deepEqual(await value(probe.all()), [])
  })

  test('that refuses us is told of without the password', async (t) => {
    const server = await startServer()
    const database = server.createDatabase()
    server.sql(database, "CREATE ROLE known LOGIN PASSWORD 'right'")
    server.write('data/pg_hba.conf', 'host all known 127.0.0.1/32 scram-sha-256\nlocal all all trust\n')
    server.sql(database, 'SELECT pg_reload_conf()')
    await sleep(300)
    const { probe, log } = world(t, `postgresql://known:topsecret@127.0.0.1:${server.port}/${database}`)
    assert.match(await failure(probe.add('a')), /password authentication failed for user "known"/)
    assert.doesNotMatch(log.join(), /topsecret/)
  })

  test('is believed with a certificate of its name only', async (t) => {
    const server = await startServer()
    const database = server.createDatabase()
    const ca = createAuthority('Example CA')
    const root = server.write('root.pem', ca.pem)
    const use = async (leaf: ReturnType<typeof issue>): Promise<World> => {
      const files = [server.write('cert.pem', chainPem(leaf, ca)), server.write('key.pem', leaf.keyPem)]
      await server.stop()
      await server.start('ssl=on', `ssl_cert_file=${files[0]}`, `ssl_key_file=${files[1]}`)
      return world(t, `${server.url(database)}?sslmode=verify-full&sslrootcert=${root}`)
    }
    const right = await use(issue(ca, { ipAddresses: ['127.0.0.1'] }))
    const rows = await value(right.probe.all('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))
    assert.deepEqual(rows, [{ ssl: 1 }])
    const wrong = await use(issue(ca, { dnsNames: ['localhost'] })) // which Node would compare with, were it not told
    assert.match(await failure(wrong.probe.all()), /does not match certificate's altnames/)
    const foreign = await use(issue(createAuthority('Another CA'), { ipAddresses: ['127.0.0.1'] }))
    assert.match(await failure(foreign.probe.all()), /certificate/)
    await server.stop()
    await server.start()
    const none = world(t, `${server.url(database)}?sslmode=verify-full&sslrootcert=${root}`)
    assert.match(await failure(none.probe.all()), /does not support SSL/)
  })

  test('needs the package pg, and says so where it is missing', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'without-pg-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const lib = new URL('../../../dist/lib/', import.meta.url)
    cpSync(new URL('store', lib), join(folder, 'lib/store'), { recursive: true })
    for (const file of ['error-text.js', 'time.js']) cpSync(new URL(file, lib), join(folder, 'lib', file))
    const module_ = `exports.sql = { file: __filename, name: 'm', tables: [], methods: { now: (database) => database.now() } }`
    writeFileSync(join(folder, 'module.js'), module_)
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
    const { createStore } = (await import(pathToFileURL(join(folder, 'lib/store', 'client.js')).href)) as {
      createStore: (
        options: object,
        log: () => void,
      ) => { module: (sql: object) => Record<string, () => Promise<Done<unknown>>>; end: () => void }
    }
    const store = createStore({ engine: 'postgres', url: 'postgresql://127.0.0.1/n' }, () => undefined)
    t.after(() => store.end())
    const { now } = store.module({ file: join(folder, 'module.js'), methods: { now: () => undefined } })
    assert.match(await failure(now?.() ?? assert.fail()), /engine = postgres needs the package pg \(npm install pg\)/)
    const options = (await import(pathToFileURL(join(folder, 'lib/store', 'postgres-options.js')).href)) as {
      postgresProblem: (url: string | undefined, environment: object) => string | undefined
    }
    assert.equal(options.postgresProblem(undefined, {}), 'engine = postgres needs the package pg (npm install pg)')
  })

  test('keeps no process alive', async (t) => {
    const server = await postgresServer()
    const options = { engine: 'postgres', url: server.url(server.createDatabase()) } as const
    const { code, out } = await child(t, `console.log((await probe.add('a')).ok)`, options)
    assert.deepEqual([code, out], [0, 'true\n'])
  })
})
