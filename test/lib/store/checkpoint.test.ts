import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openShared, type SharedDatabase } from '../../../dist/lib/store/index.js'

const MIGRATIONS = ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT']

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'checkpoint-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'store.db')
}

/** 500 kB, in transactions of 500 rows. */
async function fill(store: SharedDatabase, transactions: number): Promise<void> {
  for (let index = 0; index < transactions; index++) {
    const done = await store.run(({ prepare, transaction }) =>
      transaction(() => {
        const insert = prepare('INSERT INTO t (b) VALUES (?)')
        for (let row = 0; row < 500; row++) insert.run('x'.repeat(1000))
      }),
    )
    assert.ok(done.ok)
  }
}

/** How many times the log has been begun anew: the fourth number of its header. */
function beginningOf(path: string): number {
  return readFileSync(`${path}-wal`).readUInt32BE(12)
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 1000, 'never came to be')
    await sleep(10)
  }
}

describe('the log of a database', () => {
  test('is copied by a thread when much has been written, long before SQLite would do it in the way of deliveries', async (t) => {
    const path = scratch(t)
    const store = openShared({ path, migrations: MIGRATIONS, log: () => undefined })
    t.after(() => store.close())
    await fill(store, 1)
    assert.ok(statSync(path).size < 100_000) // all of it is in the log
    await fill(store, 6)
    await until(() => statSync(path).size > 2_000_000)
  })

  test('is begun anew by the thread, so that whoever writes next does not wait for the disk', async (t) => {
    const path = scratch(t)
    const store = openShared({ path, migrations: MIGRATIONS, log: () => undefined })
    t.after(() => store.close())
    await fill(store, 1)
    const begun = beginningOf(path)
    await fill(store, 6)
    await until(() => beginningOf(path) > begun) // nobody but the thread has written since
    const size = statSync(`${path}-wal`).size
    await fill(store, 1)
    assert.equal(statSync(`${path}-wal`).size, size, 'written over from its beginning')
  })

  test('may be copied and begun anew while others write: none of that is lost, and nobody fails', async (t) => {
    const path = scratch(t)
    const store = openShared({ path, migrations: MIGRATIONS, log: (_, text) => assert.fail(text) })
    t.after(() => store.close())
    await fill(store, 1)
    const begun = beginningOf(path)
    let rounds = 0
    for (; beginningOf(path) === begun; rounds++) {
      assert.ok(rounds < 150, 'a log that gets long is begun anew, although they go on')
      await fill(store, 2)
      await sleep(5)
    }
    const rows = await store.run(({ prepare }) => prepare('SELECT count(*) AS count FROM t').get()?.count)
    assert.deepEqual(rows, { ok: true, value: (1 + 2 * rounds) * 500 })
    t.diagnostic(`begun anew after ${rounds} MB`)
  })

  test('of a file that is gone is nobody’s business, and no file is made', async (t) => {
    const path = scratch(t)
    const store = openShared({ path, migrations: MIGRATIONS, log: () => undefined })
    await fill(store, 5) // has asked for it
    store.close()
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
    const other = openShared({ path: `${path}2`, migrations: MIGRATIONS, log: () => undefined })
    t.after(() => other.close())
    await fill(other, 5)
    await until(() => statSync(`${path}2`).size > 2_000_000) // asked for later
    assert.ok(!existsSync(path))
  })

  test('does not keep a process alive, nor does what has been asked for', async (t) => {
    const module_ = new URL('../../../dist/lib/store/index.js', import.meta.url).href
    const script = `
      import { openShared } from ${JSON.stringify(module_)}
      const store = openShared({ path: process.argv[1], migrations: ${JSON.stringify(MIGRATIONS)}, log: console.error })
      for (let i = 0; i < 10; i++) await store.run(({ prepare, transaction }) => transaction(() => {
        for (let row = 0; row < 1000; row++) prepare("INSERT INTO t (b) VALUES ('x')").run()
      }))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, scratch(t)], { stdio: 'inherit' })
    t.after(() => child.kill('SIGKILL'))
    const [code] = (await once(child, 'exit')) as [number | null]
    assert.equal(code, 0)
  })
})
