/**
 * The peer: a row for each session in SQLite, summed up when the report is due, which is how Stalwart keeps them (in a key of its own
 * each). It is given what it needs to be good at that: the same kind of file as ours, sessions written in transactions of 200 ms, policies once by
 * themselves, and the index that its sums want.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'
import type { AppliedPolicy, FailureFacts, PolicyFacts } from '../../dist/lib/tlsrpt/format/index.js'
import type { Side } from './side.ts'
import { TODAY } from './workload.ts'

const TABLES = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS policy (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS session (
    at INTEGER NOT NULL, domain TEXT NOT NULL, host TEXT, level TEXT NOT NULL, version TEXT,
    policy INTEGER NOT NULL, failure TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS session_by_domain ON session (domain, at)`

const INTERVAL = 200

export function openPeer(path: string): Side {
  const database = new DatabaseSync(path)
  database.exec(TABLES)
  const findPolicy = database.prepare('SELECT id FROM policy WHERE text = ?')
  const addPolicy = database.prepare('INSERT INTO policy (text) VALUES (?)')
  const insert = database.prepare('INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)')
  const domains = database.prepare('SELECT DISTINCT domain FROM session WHERE domain > ? ORDER BY domain LIMIT ?')
  const sums = database.prepare(
    `SELECT text, failure, count(*) AS count FROM session JOIN policy ON policy = id
     WHERE domain = ? AND at >= ? AND at < ? GROUP BY policy, failure`,
  )
  let waiting: SessionOutcome[] = []
  let timer: NodeJS.Timeout | undefined

  const write = (outcome: SessionOutcome): void => {
    const { at, domain, host, level, tlsVersion, results, sendingAddress, receivingAddress } = outcome
    for (const { policy, failure } of results) {
      const text = JSON.stringify(policy)
      const id = findPolicy.get(text)?.id ?? addPolicy.run(text).lastInsertRowid
      const detail = failure && JSON.stringify({ ...failure, sendingAddress, receivingHost: host, receivingAddress })
      const fields = [at.getTime(), domain, host ?? null, level, tlsVersion ?? null]
      insert.run(...fields, id as number, detail ?? null)
    }
  }
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    database.exec('BEGIN IMMEDIATE')
    for (const outcome of waiting) write(outcome)
    database.exec('COMMIT')
    waiting = []
  }
  return {
    record: (outcome) => {
      waiting.push(outcome)
      timer ??= setTimeout(flush, INTERVAL)
    },
    flush: () => Promise.resolve(flush()),
    domains: (after, limit) => Promise.resolve(domains.all(after, limit).map(({ domain }) => String(domain))),
    facts: (domains) => Promise.resolve(domains.map((domain) => factsOf(sums.all(domain, TODAY.start, TODAY.end)))),
    close: () => database.close(),
  }
}

/** What the sums of one domain come to. */
export function factsOf(rows: readonly Record<string, unknown>[]): readonly PolicyFacts[] {
  return [...Map.groupBy(rows, ({ text }) => String(text))].map(([text, those]) => {
    const details = those.flatMap(({ failure, count }): FailureFacts[] =>
      typeof failure === 'string' ? [{ ...(JSON.parse(failure) as FailureFacts), count: Number(count) }] : [],
    )
    return {
      policy: JSON.parse(text) as AppliedPolicy,
      successes: Number(those.find(({ failure }) => failure === null)?.count ?? 0),
      failures: details.reduce((total, { count }) => total + count, 0),
      details,
    }
  })
}
