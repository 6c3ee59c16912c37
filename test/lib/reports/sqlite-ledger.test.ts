import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createSqliteLedger, ledgerPath } from '../../../dist/lib/reports/index.js'
import { ledgerContract } from './ledger-contract.ts'
import { newReport, NOW, value } from './ledger-ground.ts'

const paths = new WeakMap<TestContext, string>()

/** One file for each test, removed when it is over. */
function fileOf(t: TestContext): string {
  const known = paths.get(t)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'reports.db')
  paths.set(t, path)
  return path
}

ledgerContract('SQLite', (t) => {
  const ledger = createSqliteLedger({ path: fileOf(t), log: () => undefined })
  t.after(() => ledger.end())
  return ledger
})

describe('the file of a ledger', () => {
  test('is beside that of the counts', () => {
    assert.equal(ledgerPath('outbound-tls.db'), 'outbound-tls-reports.db')
    assert.equal(ledgerPath('/var/lib/a.b/tls'), '/var/lib/a.b/tls-reports')
  })

  test('that the command finds missing is not made, and what cannot be done is a result', async (t) => {
    const ledger = createSqliteLedger({ path: fileOf(t), log: () => undefined, create: false })
    const done = await ledger.list({ limit: 1 })
    assert.ok(!done.ok)
    assert.match(done.text, /no such file$/)
    assert.equal((await ledger.takeLease('a', NOW, NOW + 1)).ok, false)
    ledger.end()
  })

  test('that is damaged is put aside, loudly, and a new one begun', async (t) => {
    const said: string[] = []
    writeFileSync(fileOf(t), 'this is no database, whatever its name says: '.repeat(100))
    const ledger = createSqliteLedger({ path: fileOf(t), log: (level, text) => said.push(`${level} ${text}`) })
    const lease = await value(ledger.takeLease('a', NOW, NOW + 1))
    assert.ok(lease)
    assert.equal(await value(ledger.schedule(lease, [newReport('one.test')])), true)
    assert.match(said.join(), /^crit .* is damaged: it has been put aside as /)
    ledger.end()
  })
})
