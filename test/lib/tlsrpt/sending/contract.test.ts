import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { engines } from '../../../support/engines.ts'
import { open, pathOf, sqlite } from '../../../support/store.ts'
import { reportsContract } from './contract-reports.ts'
import { ledgerContract } from './contract.ts'
import { ledgerIn, newReport, value } from './ledger-ground.ts'

for (const engine of engines) {
  ledgerContract(engine)
  reportsContract(engine)
}

describe('the file of a ledger', () => {
  test('that the command finds missing is not made, and what cannot be done is a result', async (t) => {
    const ledger = ledgerIn(open(t, { engine: 'sqlite', path: pathOf(t), create: false }))
    const done = await ledger.list({ limit: 1 })
    assert.match(done.ok ? '' : done.text, /no such file$/)
    assert.equal((await ledger.takeLease('a', 1)).ok, false)
    assert.equal(existsSync(pathOf(t)), false)
  })

  test('in which there are no tables of it yet gets none from a command that only reads', async (t) => {
    writeFileSync(pathOf(t), '')
    const ledger = ledgerIn(open(t, { engine: 'sqlite', path: pathOf(t), create: false, readOnly: true }))
    const done = await ledger.list({ limit: 1 })
    assert.match(done.ok ? '' : done.text, /there are no tables for reports yet$/)
  })

  test('that is damaged is put aside, loudly, and a new one begun', async (t) => {
    const said: string[] = []
    writeFileSync(pathOf(t), 'this is no database, whatever its name says: '.repeat(100))
    const ledger = ledgerIn(sqlite.store(t, (level, text) => said.push(`${level} ${text}`)))
    const lease = await value(ledger.takeLease('a', 1))
    assert.ok(lease)
    assert.equal(await value(ledger.schedule(lease, [newReport('one.test')])), true)
    assert.match(said.join(), /^crit .* is damaged: it has been put aside as /)
  })
})
