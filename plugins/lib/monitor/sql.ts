/**
 * The SQL of what is kept for people to look at, which runs in the thread of the store.
 *
 * @module
 */

import { marks, type Database, type Row } from '../store'
import { add } from './add'
import {
  FAILING_RANK,
  MOST_DESTINATIONS,
  OVERDUE,
  stateOf,
  type Census,
  type Cursor,
  type DestinationDetails,
  type DestinationEntry,
  type DestinationPage,
  type DestinationQuery,
  type LastSeen,
  type ConnectionLevel,
  type ResolverState,
  type Waiting,
  type WaitingMessage,
} from './facts'
import type { Amount } from './meters'
import { MONITOR_TABLES } from './tables'

/** Destinations that are looked at with one statement. */
const PIECE = 1000

export const sql = {
  file: __filename,
  name: 'monitor',
  tables: MONITOR_TABLES,
  methods: { add, amounts, waiting, waitingFor, census, destinations, destination, resolvers, removeOld },
}

/** All that was ever counted on a machine. */
async function amounts(database: Database, machine: string): Promise<readonly Amount[]> {
  const rows = await database.all(
    'SELECT meter, labels, value FROM monitor_amount WHERE machine = ? ORDER BY meter, labels',
    [machine],
  )
  return rows.map(({ meter, labels, value }) => ({
    meter: String(meter),
    labels: String(labels),
    value: Number(value),
  }))
}

/** Messages that wait, by domain: those with the most messages first. */
async function waiting(database: Database, now: number, limit: number): Promise<Waiting> {
  const current = now - OVERDUE
  const [all] = await database.all('SELECT count(*) AS messages FROM monitor_waiting WHERE next_at >= ?', [current])
  const groups = await database.all(
    `SELECT domain, count(*) AS messages, min(since) AS since, min(next_at) AS next_at
     FROM monitor_waiting WHERE next_at >= ? GROUP BY domain ORDER BY messages DESC, since LIMIT ?`,
    [current, limit],
  )
  const domains: Waiting['domains'][number][] = []
  for (const group of groups) {
    const [latest] = await database.all(
      `SELECT id, status, reasons, text FROM monitor_waiting
       WHERE domain = ? AND next_at >= ? ORDER BY written_at DESC LIMIT 1`,
      [group.domain ?? null, current],
    )
    const { domain, since, nextAt, status, reasons, text } = messageOf({ ...latest, ...group })
    domains.push({ domain, messages: Number(group.messages), since, nextAt, status, reasons, text })
  }
  return { messages: Number(all?.messages), domains }
}

/** Messages to one domain, the one that waits longest first. */
async function waitingFor(
  database: Database,
  domain: string,
  now: number,
  limit: number,
): Promise<readonly WaitingMessage[]> {
  const rows = await database.all(
    `SELECT id, domain, since, next_at, status, reasons, text FROM monitor_waiting
     WHERE domain = ? AND next_at >= ? ORDER BY since LIMIT ?`,
    [domain, now - OVERDUE, limit],
  )
  return rows.map(messageOf)
}

function messageOf(row: Row): WaitingMessage {
  return {
    id: String(row.id),
    domain: String(row.domain),
    since: Number(row.since),
    nextAt: Number(row.next_at),
    status: String(row.status),
    reasons: JSON.parse(String(row.reasons)) as string[],
    text: String(row.text),
  }
}

async function census(database: Database): Promise<Census> {
  const count = async (where: string): Promise<number> => {
    const [row] = await database.all(`SELECT count(*) AS destinations FROM monitor_destination ${where}`)
    return Number(row?.destinations)
  }
  return { destinations: await count(''), failing: await count(`WHERE rank > ${FAILING_RANK}`) }
}

/** A page of the list of destinations. */
async function destinations(database: Database, query: DestinationQuery): Promise<DestinationPage> {
  const { search, limit } = query
  const found: Cursor[] = []
  let after = query.after
  while (found.length <= limit) {
    const size = search === '' ? limit + 1 : PIECE
    const piece = await scan(database, after, size)
    found.push(...piece.filter(({ domain }) => domain.includes(search)))
    after = piece.at(-1)
    if (piece.length < size) break
  }
  const shown = found.slice(0, limit)
  const rows = await hostsOf(
    database,
    shown.map(({ domain }) => domain),
  )
  return {
    entries: shown.map(({ domain }) => entryOf(domain, rows.get(domain) ?? [])),
    next: found.length > limit ? shown.at(-1) : undefined,
  }
}

/** Names in the order of the list, `limit` of them behind a place in it. */
async function scan(database: Database, after: Cursor | undefined, limit: number): Promise<readonly Cursor[]> {
  const { rank, domain } = after ?? { rank: Number.MAX_SAFE_INTEGER, domain: '' }
  const rows = await database.all(
    `SELECT rank, domain FROM monitor_destination WHERE (rank, domain) < (?, ?) ORDER BY rank DESC, domain DESC LIMIT ?`,
    [rank, domain, limit],
  )
  return rows.map((row) => ({ rank: Number(row.rank), domain: String(row.domain) }))
}

/** What was last seen of the hosts of domains, the latest first. */
async function hostsOf(database: Database, domains: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
  if (domains.length === 0) return new Map()
  const rows = await database.all(
    `SELECT seen.domain, seen.host, opened, seen_at, level, tls_version, reason, text, good_at, worse_at
     FROM monitor_host AS seen LEFT JOIN monitor_good AS good ON good.domain = seen.domain AND good.host = seen.host
     WHERE seen.domain IN (${marks(domains.length)}) ORDER BY seen_at DESC`,
    domains,
  )
  return Map.groupBy(rows, ({ domain }) => String(domain))
}

function entryOf(domain: string, hosts: readonly Row[]): DestinationEntry {
  const last = (isOpened: number): LastSeen | undefined => {
    const row = hosts.find(({ opened }) => opened === isOpened)
    return row && lastSeen(row)
  }
  const [refused, delivered] = [last(0), last(1)]
  return { domain, state: stateOf(refused?.at, delivered?.at), refused, delivered }
}

async function destination(database: Database, domain: string): Promise<DestinationDetails | undefined> {
  const hosts = (await hostsOf(database, [domain])).get(domain)
  return hosts && { ...entryOf(domain, hosts), hosts: hosts.map(lastSeen) }
}

function lastSeen(row: Row): LastSeen {
  return {
    at: Number(row.seen_at),
    host: row.host === '' ? undefined : String(row.host),
    level: row.level as ConnectionLevel,
    tlsVersion: row.tls_version === null ? undefined : String(row.tls_version),
    reason: String(row.reason),
    text: String(row.text),
    goodUntil:
      Number(row.worse_at) > 0 && Number(row.seen_at) >= Number(row.worse_at) ? Number(row.good_at) : undefined,
  }
}

async function resolvers(database: Database): Promise<readonly ResolverState[]> {
  const rows = await database.all(
    'SELECT machine, seen_at, trust_ad, validates, secure_answers, servers FROM monitor_resolver ORDER BY machine',
  )
  return rows.map((row) => ({
    machine: String(row.machine),
    at: Number(row.seen_at),
    trustAd: row.trust_ad === 1,
    validates: row.validates === 1,
    secureAnswers: row.secure_answers === 1,
    servers: JSON.parse(String(row.servers)) as ResolverState['servers'],
  }))
}

/**
 * Removes what was last seen `retention` ago, messages that wait no more, and the destinations that are too many. Counters stay. Short
 * transactions, between which others have their turn.
 *
 * @param now - milliseconds since 1970; the store's clock, unless tests have one of their own
 */
async function removeOld(database: Database, retention: number, now?: number): Promise<void> {
  const clock = now ?? (await database.now())
  const before = clock - retention
  await database.run('DELETE FROM monitor_resolver WHERE seen_at < ?', [before])
  await database.run('DELETE FROM monitor_waiting WHERE next_at < ?', [clock - OVERDUE])
  const old = `WHERE refused < ? AND delivered < ? LIMIT ${PIECE}`
  while ((await removeDestinations(database, old, [before, before])) > 0);
  const surplus = `ORDER BY rank DESC, domain DESC LIMIT ${PIECE} OFFSET ${MOST_DESTINATIONS}`
  while ((await removeDestinations(database, surplus, [])) > 0);
}

function removeDestinations(database: Database, which: string, values: readonly number[]): Promise<number> {
  const sql = `DELETE FROM monitor_destination WHERE domain IN (SELECT domain FROM monitor_destination ${which})`
  return database.transaction('monitor', (inner) => inner.run(sql, values))
}
