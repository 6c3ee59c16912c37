/** Whichever file is damaged while it is in use: it is put aside, loudly, and work goes on with a new one, without a hand. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { receivedSql } from '../../../dist/lib/tlsrpt/received/index.js'
import { reportSql } from '../../../dist/lib/tlsrpt/sending/index.js'
import { createStore, type Done, type Log } from '../../../dist/lib/store/index.js'
import { openMonitor, openOutcomes } from '../../support/modules.ts'
import { batch as seen } from '../monitor/facts.ts'
import { openCache, policyOf, policyText } from '../mta-sts/world.ts'
import { batch, counted } from '../tlsrpt/counting/ground.ts'
import { kept, NOW } from '../tlsrpt/received/ground.ts'

interface File {
  readonly write: (round: number) => Promise<Done<unknown>>
  readonly read: () => Promise<Done<unknown>>
  readonly end: () => void
}

const files: Readonly<Record<string, (path: string, log: Log) => File>> = {
  outcomes: (path, log) => {
    const store = openOutcomes({ path, log })
    const period = { start: 0, end: NOW * 2 }
    return {
      write: () => store.add(batch([counted()]), NOW),
      read: () => store.domainsOf({ ...period, start: NOW - 86_400_000, end: NOW }, '', 9),
      end: () => store.end(),
    }
  },
  'MTA-STS policies': (path, log) => {
    const cache = openCache(path, log)
    const policy = policyOf(policyText('enforce'))
    const times = { fetchedAt: NOW, usedAt: NOW, refreshAt: NOW, failures: 0 }
    return {
      write: (round) => cache.save({ domain: `d${round}.test`, id: '1', policy, ...times }),
      read: () => cache.read('d1.test'),
      end: () => cache.close(),
    }
  },
  'ledger of reports': (path, log) => {
    const store = createStore({ engine: 'sqlite', path }, log)
    const ledger = store.module(reportSql)
    return {
      write: (round) => ledger.suppress(`d${round}.test`, NOW),
      read: () => ledger.list({ limit: 9 }),
      end: store.end,
    }
  },
  'received reports': (path, log) => {
    const store = createStore({ engine: 'sqlite', path }, log)
    const received = store.module(receivedSql)
    return {
      write: (round) => received.add(kept(`r${round}`)),
      read: () => received.entries({ since: 0, isCounted: true, limit: 9 }),
      end: store.end,
    }
  },
  'status page': (path, log) => {
    const store = openMonitor({ path, log })
    return {
      write: (number) => store.add(seen({ number, amounts: [{ meter: 'a', labels: '{}', value: 1 }] }), NOW),
      read: () => store.census(),
      end: () => store.end(),
    }
  },
}

/** Where it lies: the file and its log, which is still that of the same file. Nobody has its pages in memory any more. */
function damage(path: string): void {
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE of_somebody_else (a); DROP TABLE of_somebody_else')
  for (const end of ['', '-wal']) writeFileSync(path + end, readFileSync(path + end).fill(0xee), { flag: 'r+' })
  try {
    other.close()
  } catch {
    // it has seen it, too
  }
}

describe('a file that is damaged while it is in use', () => {
  for (const [name, open] of Object.entries(files))
    test(`is put aside, and a new one begun: ${name}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'damage-'))
      t.after(() => rmSync(directory, { recursive: true }))
      const path = join(directory, 'file.db')
      const log: string[] = []
      const file = open(path, (level, text) => log.push(`${level} ${text}`))
      t.after(file.end)
      const succeeded = (done: Done<unknown>): void => assert.ok(done.ok, done.ok ? '' : done.text)
      succeeded(await file.write(1))
      succeeded(await file.read())
      damage(path)

      succeeded(await file.write(2))
      succeeded(await file.read())
      const aside = readdirSync(directory).filter((one) => /^file\.db\.damaged-[\dTZ-]+$/.test(one))
      assert.equal(aside.length, 1)
      assert.equal(readFileSync(join(directory, aside[0] ?? ''))[0], 0xee) // to be looked into
      assert.deepEqual(
        log.map((line) => /^crit .* is damaged: it has been put aside as /.test(line)),
        [true],
        log.join('\n'),
      )
    })
})
