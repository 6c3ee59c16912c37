/**
 * The peer on PostgreSQL: the same rows, written with one statement in each transaction, and summed up for as many domains at once as ours.
 *
 * @module
 */
import pg from 'pg'
import type { SessionOutcome } from '../../dist/lib/tlsrpt/counting/index.js'
import { factsOf } from './peer.ts'
import type { Side } from './side.ts'
import { TODAY } from './workload.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS policy (id SERIAL PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS session (
    at BIGINT NOT NULL, domain TEXT COLLATE "C" NOT NULL, host TEXT, level TEXT NOT NULL, version TEXT,
    policy INTEGER NOT NULL, failure TEXT
  );
  CREATE INDEX IF NOT EXISTS session_by_domain ON session (domain, at)`

const INTERVAL = 200

export function openPeerOnPostgres(url: string): Side {
  const client = new pg.Client({ connectionString: url })
  const ready = client.connect().then(() => client.query(TABLES))
  const policies = new Map<string, number>()
  let waiting: SessionOutcome[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = ready.then(() => undefined)

  const policyId = async (text: string): Promise<number> => {
    const known = policies.get(text)
    if (known !== undefined) return known
    const upsert =
      'INSERT INTO policy (text) VALUES ($1) ON CONFLICT (text) DO UPDATE SET text = excluded.text RETURNING id'
    const id = Number((await client.query<{ id: number }>(upsert, [text])).rows[0]?.id)
    policies.set(text, id)
    return id
  }
  const write = async (outcomes: readonly SessionOutcome[]): Promise<void> => {
    const columns: unknown[][] = [[], [], [], [], [], [], []]
    for (const { at, domain, host, level, tlsVersion, results, sendingAddress, receivingAddress } of outcomes)
      for (const { policy, failure } of results) {
        const id = await policyId(JSON.stringify(policy))
        const detail = failure && JSON.stringify({ ...failure, sendingAddress, receivingHost: host, receivingAddress })
        const row = [at.getTime(), domain, host ?? null, level, tlsVersion ?? null, id, detail ?? null]
        row.forEach((value, index) => columns[index]?.push(value))
      }
    await client.query(
      'INSERT INTO session SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])',
      columns,
    )
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const outcomes = waiting
    waiting = []
    if (outcomes.length > 0) writing = writing.then(() => write(outcomes))
    return writing
  }
  return {
    record: (outcome) => {
      waiting.push(outcome)
      timer ??= setTimeout(() => void flush(), INTERVAL)
    },
    flush,
    domains: async (after, limit) => {
      await ready
      const sql = 'SELECT DISTINCT domain FROM session WHERE domain > $1 ORDER BY domain LIMIT $2'
      return (await client.query<{ domain: string }>(sql, [after, limit])).rows.map(({ domain }) => domain)
    },
    facts: async (domains) => {
      const { rows } = await client.query<Record<string, unknown>>(
        `SELECT domain, text, failure, count(*) AS count FROM session JOIN policy ON policy = id
         WHERE domain = ANY($1) AND at >= $2 AND at < $3 GROUP BY domain, text, failure`,
        [domains, TODAY.start, TODAY.end],
      )
      const byDomain = Map.groupBy(rows, ({ domain }) => String(domain))
      return domains.map((domain) => factsOf(byDomain.get(domain) ?? []))
    },
    close: () => void client.end(),
  }
}
