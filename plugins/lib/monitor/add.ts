/**
 * Adding a batch of what was seen: all of it or nothing, once.
 *
 * @module
 */

import { insertRows, isNewBatch, marks, pieces, type Database, type Row } from '../store'
import { noteQuality, type Downgrade } from './downgrades'
import {
  CLOCKS_APART,
  MOST_HOSTS,
  MOST_WAITING,
  rankOf,
  type ResolverState,
  type ConnectionEvent,
  type WaitingMessage,
} from './facts'
import type { Amount } from './meters'

/** `message` undefined: it is delivered, bounced, or waits for another reason now. */
export interface WaitingChange {
  readonly id: string
  readonly message: WaitingMessage | undefined
}

/** What one worker has seen since the batch before. Few enough items to be written in a few milliseconds. */
export interface MonitorBatch {
  /** who writes it: a process, or what it began afresh */
  readonly writer: string
  /** grows from batch to batch of a writer; what is not larger than the last one has arrived already, and counts once */
  readonly number: number
  /** whose counters they are */
  readonly machine: string
  readonly amounts: readonly Amount[]
  /** the last of each domain, host and kind (opened, refused) */
  readonly connections: readonly ConnectionEvent[]
  readonly waiting: readonly WaitingChange[]
  readonly resolver: ResolverState | undefined
}

/** What a batch has shown. */
export interface Added {
  readonly downgrades: readonly Downgrade[]
}

/**
 * @param now - milliseconds since 1970; the store's clock, unless tests have one of their own
 * @returns undefined: it had arrived already, and nothing was counted
 */
export async function add(database: Database, batch: MonitorBatch, now?: number): Promise<Added | undefined> {
  return database.transaction('monitor', async (inner) => {
    const clock = now ?? (await inner.now())
    if (!(await isNewBatch(inner, batch.writer, batch.number, clock))) return undefined
    await addAmounts(inner, batch)
    const downgrades: Downgrade[] = []
    for (const some of pieces(batch.connections)) {
      await addConnections(inner, some, clock + CLOCKS_APART)
      downgrades.push(...(await noteQuality(inner, some, clock)))
    }
    await addWaiting(inner, batch.waiting, clock)
    if (batch.resolver !== undefined) await saveResolver(inner, batch.resolver)
    return { downgrades }
  })
}

async function addAmounts(database: Database, { machine, amounts }: MonitorBatch): Promise<void> {
  const sums = new Map<string, Amount>()
  for (const amount of amounts) {
    const key = `${amount.meter} ${amount.labels}`
    sums.set(key, { ...amount, value: amount.value + (sums.get(key)?.value ?? 0) })
  }
  await insertRows(
    database,
    'monitor_amount (machine, meter, labels, value)',
    [...sums.values()].map(({ meter, labels, value }) => [machine, meter, labels, value]),
    'ON CONFLICT (machine, meter, labels) DO UPDATE SET value = monitor_amount.value + excluded.value',
  )
}

/** @param latest - what was seen later was seen while a clock was wrong */
async function addConnections(
  database: Database,
  connections: readonly ConnectionEvent[],
  latest: number,
): Promise<void> {
  if (connections.length === 0) return
  const byDomain = Map.groupBy(connections, ({ domain }) => domain)
  const domains = [...byDomain.keys()]
  const some = `domain IN (${marks(domains.length)})`
  await database.run(`DELETE FROM monitor_host WHERE seen_at > ? AND ${some}`, [latest, ...domains])
  const rows = await database.all(`SELECT domain, refused, delivered FROM monitor_destination WHERE ${some}`, domains)
  const known = new Map(rows.map((row) => [String(row.domain), row]))
  await insertRows(
    database,
    'monitor_destination (domain, refused, delivered, rank)',
    Array.from(byDomain, ([domain, seen]) => destinationRow(domain, seen, known.get(domain), latest)),
    `ON CONFLICT (domain) DO UPDATE SET refused = excluded.refused, delivered = excluded.delivered, rank = excluded.rank`,
  )
  await insertRows(
    database,
    'monitor_host (domain, host, opened, seen_at, level, tls_version, reason, text)',
    lastOfEach(connections).map(({ domain, host, at, level, tlsVersion, reason, text }) => {
      return [domain, host ?? '', Number(level !== 'refused'), at, level, tlsVersion ?? null, reason, text]
    }),
    `ON CONFLICT (domain, host, opened) DO UPDATE SET seen_at = excluded.seen_at, level = excluded.level,
       tls_version = excluded.tls_version, reason = excluded.reason, text = excluded.text
     WHERE excluded.seen_at >= monitor_host.seen_at`,
  )
  await trimHosts(database, domains)
}

function destinationRow(domain: string, seen: readonly ConnectionEvent[], known: Row | undefined, latest: number) {
  const last = (before: Row[string] | undefined, isRefusal: boolean): number => {
    const times = seen.filter(({ level }) => (level === 'refused') === isRefusal).map(({ at }) => at)
    return Math.max(Number(before ?? 0) <= latest ? Number(before ?? 0) : 0, ...times)
  }
  const [refused, delivered] = [last(known?.refused, true), last(known?.delivered, false)]
  return [domain, refused, delivered, rankOf(refused, delivered)]
}

/** Of each domain, host and kind the one that was seen last. */
function lastOfEach(connections: readonly ConnectionEvent[]): readonly ConnectionEvent[] {
  const last = new Map<string, ConnectionEvent>()
  for (const seen of connections) {
    const key = `${seen.domain} ${seen.host ?? ''} ${seen.level === 'refused'}`
    if (seen.at >= (last.get(key)?.at ?? -Infinity)) last.set(key, seen)
  }
  return [...last.values()]
}

async function trimHosts(database: Database, domains: readonly string[]): Promise<void> {
  const crowded = await database.all(
    `SELECT domain FROM monitor_host WHERE domain IN (${marks(domains.length)}) GROUP BY domain HAVING count(*) > ${2 * MOST_HOSTS}`,
    domains,
  )
  for (const { domain = null } of crowded)
    await database.run(
      `DELETE FROM monitor_host WHERE domain = ? AND seen_at <
         (SELECT seen_at FROM monitor_host WHERE domain = ? ORDER BY seen_at DESC LIMIT 1 OFFSET ${2 * MOST_HOSTS - 1})`,
      [domain, domain],
    )
}

async function addWaiting(database: Database, changes: readonly WaitingChange[], now: number): Promise<void> {
  if (changes.length === 0) return
  const [counted] = await database.all('SELECT count(*) AS messages FROM monitor_waiting')
  let left = MOST_WAITING - Number(counted?.messages)
  for (const { id, message } of changes) {
    if (message === undefined) {
      left += await database.run('DELETE FROM monitor_waiting WHERE id = ?', [id])
      continue
    }
    const { domain, since, nextAt, status, reasons, text } = message
    const row = [nextAt, status, JSON.stringify(reasons), text, now]
    const changed = await database.run(
      'UPDATE monitor_waiting SET next_at = ?, status = ?, reasons = ?, text = ?, written_at = ? WHERE id = ?',
      [...row, id],
    )
    if (changed > 0 || left <= 0) continue
    await database.run(
      `INSERT INTO monitor_waiting (id, domain, since, next_at, status, reasons, text, written_at) VALUES (${marks(8)})`,
      [id, domain, since, ...row],
    )
    left--
  }
}

async function saveResolver(database: Database, state: ResolverState): Promise<void> {
  const { machine, at, trustAd, validates, secureAnswers, servers } = state
  const row = [machine, at, Number(trustAd), Number(validates), Number(secureAnswers), JSON.stringify(servers)]
  await database.run(
    `INSERT INTO monitor_resolver (machine, seen_at, trust_ad, validates, secure_answers, servers) VALUES (${marks(6)})
     ON CONFLICT (machine) DO UPDATE SET seen_at = excluded.seen_at, trust_ad = excluded.trust_ad,
       validates = excluded.validates, secure_answers = excluded.secure_answers, servers = excluded.servers`,
    row,
  )
}
