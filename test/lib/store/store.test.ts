import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openShared, type Done, type SharedDatabase } from '../../../dist/lib/store/index.js'

const MIGRATIONS = ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT']

interface Opened {
  readonly store: SharedDatabase
  readonly path: string
  readonly directory: string
  readonly log: string[]
}

function openStore(t: TestContext, directory = scratch(t), migrations = MIGRATIONS): Opened {
  const log: string[] = []
  const path = join(directory, 'store.db')
  const store = openShared({ path, migrations, log: (level, text) => log.push(`${level} ${text}`) })
  t.after(() => store.close())
  return { store, path, directory, log }
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

function insert(store: SharedDatabase, b: string): Promise<Done<unknown>> {
  return store.run(({ prepare }) => prepare('INSERT INTO t (b) VALUES (?)').run(b))
}

function failure(done: Done<unknown>): string {
  return done.ok ? 'it went well' : done.text
}

async function rows(store: SharedDatabase): Promise<unknown> {
  const done = await store.run(({ prepare }) =>
    prepare('SELECT b FROM t ORDER BY a')
      .all()
      .map((row) => row.b),
  )
  return done.ok ? done.value : done.text
}

async function child(script: string, ...argv: string[]): Promise<number | null> {
  const process_ = spawn(process.execPath, ['--input-type=module', '-e', script, ...argv], { stdio: 'inherit' })
  const [code] = (await once(process_, 'exit')) as [number | null]
  return code
}

describe('a shared database', () => {
  test('is opened when it is first needed, and keeps what is in it', async (t) => {
    const first = openStore(t)
    assert.deepEqual(readdirSync(first.directory), [])
    await insert(first.store, 'x')
    first.store.close()
    assert.deepEqual(await rows(openStore(t, first.directory).store), ['x'])
  })

  test('that is only read makes no file, no tables, and writes nothing', async (t) => {
    const directory = scratch(t)
    const path = join(directory, 'store.db')
    const readOnly = (migrations: readonly string[]) => {
      const store = openShared({ path, migrations, log: () => undefined, create: false, readOnly: true })
      t.after(() => store.close())
      return store
    }
    assert.match(failure(await readOnly(MIGRATIONS).run(() => 1)), /no such file/)
    assert.deepEqual(readdirSync(directory), [])

    const writer = openStore(t, directory)
    await insert(writer.store, 'x')
    const reader = readOnly(MIGRATIONS)
    assert.deepEqual(await rows(reader), ['x'])
    assert.match(failure(await insert(reader, 'y')), /readonly/)
    const later = readOnly([...MIGRATIONS, 'CREATE TABLE u (a INTEGER) STRICT'])
    assert.match(failure(await later.run(() => 1)), /tables of version 1, this program knows 2/)
    assert.deepEqual(await rows(writer.store), ['x'])
  })

  test('calls at once share one opening', async (t) => {
    const { store } = openStore(t)
    await Promise.all(Array.from({ length: 20 }, (_, index) => insert(store, String(index))))
    assert.equal(((await rows(store)) as unknown[]).length, 20)
  })

  test('is brought up to date from any earlier version, once', async (t) => {
    const { store, directory } = openStore(t)
    await insert(store, 'x')
    store.close()
    const later = [...MIGRATIONS, "ALTER TABLE t ADD COLUMN c TEXT; UPDATE t SET b = b || 'y'"]
    const second = openStore(t, directory, later)
    assert.deepEqual(await rows(second.store), ['xy'])
    second.store.close()
    assert.deepEqual(await rows(openStore(t, directory, later).store), ['xy'])
  })

  test('of a later version is left alone', async (t) => {
    const { store, directory } = openStore(t, scratch(t), [...MIGRATIONS, 'CREATE TABLE u (a)'])
    await insert(store, 'x')
    store.close()
    const older = openStore(t, directory)
    assert.match(String(await rows(older.store)), /tables of version 2, this program knows 1/)
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('damaged')),
      [],
    )
    assert.equal(older.log.length, 1)
  })

  test('a migration that fails leaves nothing behind', async (t) => {
    const { store, path } = openStore(t, scratch(t), ['CREATE TABLE u (a)', 'nonsense'])
    assert.equal((await insert(store, 'x')).ok, false)
    const database = new DatabaseSync(path)
    assert.equal(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n, 0)
    database.close()
  })

  test('a transaction that fails leaves nothing behind', async (t) => {
    const { store } = openStore(t)
    const done = await store.run(({ prepare, transaction }) =>
      transaction(() => {
        prepare('INSERT INTO t (b) VALUES (?)').run('x')
        throw new Error('changed my mind')
      }),
    )
    assert.equal(done.ok, false)
    assert.deepEqual(await rows(store), [])
  })

  test('garbage is put aside under a new name, loudly, and a new one begun', async (t) => {
    const { store, path, directory, log } = openStore(t)
    writeFileSync(path, 'garbage '.repeat(1000))
    assert.deepEqual(await rows(store), [])
    const aside = readdirSync(directory).find((name) => name.startsWith('store.db.damaged-'))
    assert.ok(aside)
    assert.equal(readFileSync(join(directory, aside), 'utf8').slice(0, 8), 'garbage ')
    assert.match(log.join('\n'), /^crit .*damaged.*store\.db\.damaged-/)
  })

  test('damage within the file is noticed when it is read, and ends the same way', async (t) => {
    const { store, path, directory } = openStore(t)
    for (let count = 0; count < 200; count++) await insert(store, 'x'.repeat(1000))
    store.close()
    const bytes = readFileSync(path)
    bytes.fill(0xee, 8192)
    writeFileSync(path, bytes)
    const second = openStore(t, directory)
    assert.deepEqual(await rows(second.store), [])
    assert.match(second.log.join('\n'), /^crit .*damaged/)
    assert.ok((await insert(second.store, 'y')).ok)
  })

  test('two processes that find the same damage put one file aside', async (t) => {
    const { path, directory, store } = openStore(t)
    writeFileSync(path, 'garbage '.repeat(1000))
    const other = openStore(t, directory)
    await Promise.all([insert(store, 'a'), insert(other.store, 'b')])
    assert.deepEqual(((await rows(store)) as string[]).sort(), ['a', 'b'])
    assert.equal(readdirSync(directory).filter((name) => name.includes('damaged')).length, 1)
  })

  test('a file that is removed or replaced is noticed', async (t) => {
    const { store, path, directory } = openStore(t)
    await insert(store, 'x')
    const moved = join(directory, 'moved')
    for (const end of ['', '-wal', '-shm']) renameSync(path + end, moved + end)
    assert.deepEqual(await rows(store), [])
    assert.ok((await insert(store, 'y')).ok)
  })

  test('a directory that is missing is a result, is logged once, and heals', async (t) => {
    const missing = join(scratch(t), 'missing')
    const { store, log } = openStore(t, missing)
    for (let count = 0; count < 5; count++) assert.equal((await insert(store, 'x')).ok, false)
    assert.equal(log.length, 1)
    mkdirSync(missing)
    await sleep(1100)
    assert.ok((await insert(store, 'x')).ok)
  })

  test('a path that can no longer be looked at is a result, is logged once, and heals', async (t) => {
    const directory = join(scratch(t), 'store')
    mkdirSync(directory)
    const { store, log } = openStore(t, directory)
    assert.ok((await insert(store, 'x')).ok)
    renameSync(directory, `${directory}-moved`)
    symlinkSync(directory, directory) // as a directory that may not be searched: stat fails, and not for want of a file
    for (let count = 0; count < 5; count++) assert.equal((await insert(store, 'y')).ok, false)
    assert.equal(log.length, 1)

    rmSync(directory)
    renameSync(`${directory}-moved`, directory)
    await sleep(1100)
    assert.ok((await insert(store, 'y')).ok)
    assert.deepEqual(await rows(store), ['x', 'y'])
  })

  test('a path that can never be looked at is a result', async (t) => {
    const loop = join(scratch(t), 'loop')
    symlinkSync(loop, loop)
    const { store, log } = openStore(t, loop)
    assert.equal((await insert(store, 'x')).ok, false)
    assert.match(log.join(), /^crit .*loop/)
  })

  test('is not made by those who must not', async (t) => {
    const directory = scratch(t)
    const path = join(directory, 'store.db')
    const store = openShared({ path, migrations: MIGRATIONS, create: false, log: () => undefined })
    t.after(() => store.close())
    assert.match(String(await rows(store)), /no such file/)
    assert.deepEqual(readdirSync(directory), [])
  })

  test('the log of a file that is gone is not taken for that of the next one', async (t) => {
    const { store, path, directory } = openStore(t)
    for (let count = 0; count < 50; count++) await insert(store, 'old')
    const log = readFileSync(`${path}-wal`)
    store.close()
    rmSync(path)
    writeFileSync(`${path}-wal`, log)
    assert.deepEqual(await rows(openStore(t, directory).store), [])
  })

  test('whoever only reads does not wait for another process that writes, nor do many who want to write wait one by one', async (t) => {
    const { store, path } = openStore(t)
    assert.ok((await insert(store, 'first')).ok)
    const other = new DatabaseSync(path)
    t.after(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    let written = 0
    const writing = Array.from({ length: 200 }, (_, index) => insert(store, `${index}`).then(() => written++))
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    for (let read = 0; read < 20; read++) {
      assert.deepEqual(await rows(store), ['first'])
      await sleep(5)
    }
    clearInterval(turning)
    assert.equal(written, 0)
    assert.ok(turns > 10, `the event loop went round ${turns} times in a tenth of a second`)
    other.exec('COMMIT')
    assert.equal((await Promise.all(writing)).length, 200)
    assert.equal(((await rows(store)) as readonly unknown[]).length, 201)
  })

  test('another process that writes is waited for', async (t) => {
    const { store, path } = openStore(t)
    await insert(store, 'x')
    const writer = new DatabaseSync(path)
    writer.exec("BEGIN IMMEDIATE; INSERT INTO t (b) VALUES ('theirs')")
    setTimeout(() => writer.exec('COMMIT'), 300)
    assert.ok((await insert(store, 'ours')).ok)
    assert.deepEqual(await rows(store), ['x', 'theirs', 'ours'])
    writer.close()
  })

  test('one that writes for ever is not', async (t) => {
    const { store, path } = openStore(t)
    await insert(store, 'x')
    const writer = new DatabaseSync(path)
    writer.exec('BEGIN IMMEDIATE')
    const done = await insert(store, 'ours')
    assert.equal(done.ok, false)
    assert.deepEqual(await rows(store), ['x'])
    writer.close()
  })

  test('several processes may create it at once', async (t) => {
    const { store, path } = openStore(t)
    const module_ = new URL('../../../dist/lib/store/index.js', import.meta.url).href
    const script = `
      import { openShared } from ${JSON.stringify(module_)}
      const store = openShared({ path: process.argv[1], migrations: ${JSON.stringify(MIGRATIONS)}, log: console.error })
      for (let i = 0; i < 20; i++) {
        const done = await store.run(({ prepare }) => prepare("INSERT INTO t (b) VALUES ('x')").run())
        if (!done.ok) process.exit(1)
      }`
    const codes = await Promise.all(Array.from({ length: 4 }, () => child(script, path)))
    assert.deepEqual(codes, [0, 0, 0, 0])
    assert.equal(((await rows(store)) as unknown[]).length, 80)
  })
})
