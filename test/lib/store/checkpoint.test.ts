import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
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
