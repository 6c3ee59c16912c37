import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteOutcomes, type OutcomeStore } from '../../../dist/lib/outcomes/index.js'
import { describeEngine } from './engine.ts'

describeEngine('SQLite', {
  open: (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'outcomes-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const again = (): OutcomeStore => {
      const store = createSqliteOutcomes({ path: join(directory, 'outbound-tls.db'), log: () => undefined })
      t.after(() => store.end())
      return store
    }
    return Promise.resolve({ store: again(), again })
  },
})
