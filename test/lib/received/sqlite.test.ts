import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createSqliteReceived, receivedPath, type ReceivedStore } from '../../../dist/lib/received/index.js'
import { receivedContract } from './contract.ts'
import { kept, LIFETIME, value } from './ground.ts'

const paths = new WeakMap<TestContext, string>()

/** One file for each test, removed when it is over. */
function fileOf(t: TestContext): string {
  const known = paths.get(t)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'received-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'received.db')
  paths.set(t, path)
  return path
}

function open(t: TestContext, log: string[] = []): ReceivedStore {
  const store = createSqliteReceived({ path: fileOf(t), log: (level, text) => log.push(`${level} ${text}`) })
  t.after(() => store.end())
  return store
}

receivedContract('SQLite', open)

describe('the file of received reports', () => {
  test('is beside that of the counts', () => {
    assert.equal(receivedPath('outbound-tls.db'), 'outbound-tls-received.db')
    assert.equal(receivedPath('/var/lib/a.b/tls'), '/var/lib/a.b/tls-received')
  })

  test('that is damaged is put aside, loudly, and a new one begun', async (t) => {
    writeFileSync(fileOf(t), 'this is no database, whatever its name says: '.repeat(100))
    const log: string[] = []
    assert.equal(await value(open(t, log).add(kept('1'), LIFETIME)), 'new')
    assert.match(log.join(), /^crit .*received\.db is damaged: it has been put aside/)
  })

  test('in which somebody has written something else gives no report, and ends nothing', async (t) => {
    const store = open(t)
    const { entry } = kept('1')
    await value(store.add(kept('1'), LIFETIME))
    const database = new DatabaseSync(fileOf(t))
    database.exec("UPDATE report SET body = x'1f8b'")
    database.close()
    assert.equal(await value(store.read(entry.id)), undefined)
  })
})
