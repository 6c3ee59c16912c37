import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSqliteOutcomes } from '../../../dist/lib/outcomes/index.js'
import { killWriters } from './kill.ts'

test('in SQLite, what was written is there after a SIGKILL, fifty times, and nothing is counted twice', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'killed-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'outbound-tls.db')
  const store = createSqliteOutcomes({ path, log: (level, text) => t.diagnostic(`${level} ${text}`) })
  t.after(() => store.end())
  await killWriters(t, ['sqlite', path], store)
})
