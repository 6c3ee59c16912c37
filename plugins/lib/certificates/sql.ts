/**
 * The SQL of known certificates, which runs in the thread of the store.
 *
 * @module
 */

import type { Database } from '../store'
import type { KnownCertificate, SeenCertificate } from './known'
import { KNOWN_TABLES } from './tables'

/** Keys of a host: a pool of servers behind one name has some. */
const MOST_KEYS = 8
/** Hosts that are kept for the sake of one recipient domain: as many as a delivery goes to. */
const MOST_HOSTS = 32
/** Altogether: some 30 MB. Those that were seen last stay. */
const MOST = 100_000
/** Removed at once beyond that, so that not every addition has to. */
const SPARE = 1000

export const sql = {
  file: __filename,
  name: 'known_cert',
  tables: KNOWN_TABLES,
  methods: { find, keep, forget },
}

/**
 * The certificates that are known of a host.
 *
 * @param lasts - how long one is kept after it was last seen: milliseconds
 * @param now - milliseconds since 1970; the store's clock, unless tests have one of their own
 */
async function find(
  database: Database,
  host: string,
  lasts: number,
  now?: number,
): Promise<readonly KnownCertificate[]> {
  const rows = await database.all(
    'SELECT spki, names, flaw, first_seen FROM known_cert WHERE host = ? AND last_seen > ? ORDER BY first_seen, spki',
    [host, (now ?? (await database.now())) - lasts],
  )
  return rows.map(({ spki, names, flaw, first_seen }) => ({
    ...{ spki: String(spki), names: String(names), flaw: String(flaw), firstSeen: Number(first_seen) },
  }))
}

/**
 * A certificate was accepted: it is known from now on, within bounds, the oldest out first.
 *
 * @param domain - of the recipient
 */
async function keep(
  database: Database,
  seen: SeenCertificate,
  domain: string,
  lasts: number,
  clock?: number,
): Promise<void> {
  const { host, spki, names, flaw } = seen
  const now = clock ?? (await database.now())
  await database.transaction('known_cert', async (inner) => {
    await inner.run('DELETE FROM known_cert WHERE last_seen <= ?', [now - lasts])
    const again = 'UPDATE known_cert SET last_seen = ?, names = ?, flaw = ? WHERE host = ? AND spki = ?'
    if ((await inner.run(again, [now, names, flaw, host, spki])) > 0) return
    await inner.run(
      'INSERT INTO known_cert (host, spki, domain, names, flaw, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [host, spki, domain, names, flaw, now, now],
    )
    await keepWithinBounds(inner, host, domain)
  })
}

async function keepWithinBounds(database: Database, host: string, domain: string): Promise<void> {
  const keys = await database.all('SELECT spki FROM known_cert WHERE host = ? ORDER BY last_seen DESC, spki', [host])
  for (const { spki } of keys.slice(MOST_KEYS))
    await database.run('DELETE FROM known_cert WHERE host = ? AND spki = ?', [host, String(spki)])
  const hosts = await database.all(
    'SELECT host FROM known_cert WHERE domain = ? GROUP BY host ORDER BY max(last_seen) DESC, host',
    [domain],
  )
  for (const row of hosts.slice(MOST_HOSTS))
    await database.run('DELETE FROM known_cert WHERE host = ? AND domain = ?', [String(row.host), domain])
  const [all] = await database.all('SELECT count(*) AS n FROM known_cert')
  if (Number(all?.n) > MOST)
    await database.run(
      `DELETE FROM known_cert WHERE (host, spki) IN (SELECT host, spki FROM known_cert ORDER BY last_seen LIMIT ${SPARE})`,
    )
}

/** A host has a valid certificate now: what was known of it ends. @returns since when it was known; undefined: it was not */
async function forget(database: Database, host: string): Promise<number | undefined> {
  const [row] = await database.all('SELECT min(first_seen) AS since FROM known_cert WHERE host = ?', [host])
  if (row?.since === null || row?.since === undefined) return undefined
  await database.transaction('known_cert', (inner) => inner.run('DELETE FROM known_cert WHERE host = ?', [host]))
  return Number(row.since)
}
