import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openShared } from '../../../dist/lib/store/index.js'

test('where the system allows no more threads, work is done all the same, and nothing is said', async (t) => {
  const threads = createRequire(import.meta.url)('node:worker_threads') as object
  const start = t.mock.method(threads as { Worker: () => void }, 'Worker', function Worker() {
    throw new Error('EAGAIN')
  })
  const directory = mkdtempSync(join(tmpdir(), 'no-thread-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const store = openShared({
    path: join(directory, 'store.db'),
    migrations: ['CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT'],
    log: (level, text) => assert.fail(`${level} ${text}`),
  })
  t.after(() => store.close())
  for (let turn = 0; turn < 10; turn++) {
    const done = await store.run(({ prepare, transaction }) =>
      transaction(() => {
        for (let row = 0; row < 500; row++) prepare('INSERT INTO t VALUES (NULL)').run()
      }),
    )
    assert.ok(done.ok)
    await nextTurn()
  }
  assert.ok(start.mock.callCount() > 0, 'a thread was asked for')
  assert.deepEqual(await store.run(({ prepare }) => prepare('SELECT count(*) AS count FROM t').get()?.count), {
    ok: true,
    value: 5000,
  })
})
