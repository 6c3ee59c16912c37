import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSqliteOutcomes, type OutcomeStore } from '../../../dist/lib/outcomes/index.js'
import { describeEngine } from './engine.ts'
import { batch, counted, value } from './ground.ts'

function opener(t: TestContext): () => OutcomeStore {
  const directory = mkdtempSync(join(tmpdir(), 'outcomes-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return () => {
    const store = createSqliteOutcomes({ path: join(directory, 'outbound-tls.db'), log: () => undefined })
    t.after(() => store.end())
    return store
  }
}

describeEngine('SQLite', {
  open: (t) => {
    const again = opener(t)
    return Promise.resolve({ store: again(), again })
  },
})

test('deliveries go on while SQLite looks for the few domains of an hour among many', async (t) => {
  const store = opener(t)()
  const name = (index: number): string => `d${String(index).padStart(5, '0')}.test`
  const hour = Date.UTC(2027, 0, 31)
  const many = Array.from({ length: 5000 }, (_, index) => counted({ domain: name(index), hour }))
  const few = [998, 999, 1000, 4999].map((index) => counted({ domain: name(index), hour: hour + 3_600_000 }))
  await value(store.add(batch([...many, ...few]), 0))

  let turns = 0
  const takeTurn = (): void => {
    turns++
    next = setImmediate(takeTurn)
  }
  let next = setImmediate(takeTurn)
  const found = await value(store.domainsOf({ start: hour + 3_600_000, end: hour + 7_200_000 }, '', 500))
  clearImmediate(next)
  assert.deepEqual(found, [name(998), name(999), name(1000), name(4999)])
  assert.ok(turns >= 4, `others had ${turns} turns`)
})
