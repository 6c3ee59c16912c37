/**
 * The reports of a ledger in Redis.
 *
 * @module
 */

import type { Done, RedisConnection, Reply, SharedRedis } from '../store'
import { readDestinations, writeDestinations } from './destination-text'
import type { EntryChange, Lease, NewReport, ReportEntry, ReportKey, ReportQuery, ReportState } from './ledger'
import {
  BY_DOMAIN,
  DUE,
  endOfRanks,
  FIELDS,
  keyOfName,
  nameOf,
  nameOfRank,
  namesOf,
  rankOf,
  REPORT,
  stateKey,
  STATES,
} from './redis-keys'
import { CHANGE, FORGET, REMOVE_OLD, SCHEDULE } from './redis-scripts'

/** For how long reports are kept where nobody removes them: milliseconds. */
export interface Lifetimes {
  /** of those that are over */
  readonly over: number
  /** of those that are not */
  readonly pending: number
}

/** How many reports are written, read or removed in one go. */
const PIECE = 500

export async function schedule(
  { script }: RedisConnection,
  lease: Lease,
  reports: readonly NewReport[],
  { pending }: Lifetimes,
): Promise<boolean> {
  let at = 0
  do {
    const words = reports.slice(at, at + PIECE).flatMap((report) => {
      const { end, reportId, dueAt } = report
      const facts = writeFacts({
        reportId,
        dueAt,
        size: 0,
        firstTriedAt: undefined,
        note: undefined,
        sessions: undefined,
      })
      return [nameOf(report), rankOf(report), dueAt, end, facts]
    })
    const { holder, fence } = lease
    if ((await script(SCHEDULE, [stateKey('scheduled')], [holder, fence, pending, ...words])) !== 1) return false
    at += PIECE
  } while (at < reports.length)
  return true
}

export async function change(
  connection: RedisConnection,
  entry: ReportEntry,
  { frozen, ...fields }: EntryChange,
  lease: Lease | undefined,
  { over, pending }: Lifetimes,
): Promise<ReportEntry | undefined> {
  const changed = { ...entry, ...fields, size: frozen?.length ?? entry.size, version: entry.version + 1 }
  const { state, dueAt, destinations } = changed
  const isOver = dueAt === Infinity
  const done = await connection.script(
    CHANGE,
    [REPORT + nameOf(entry), stateKey(entry.state), stateKey(state)],
    [
      ...[lease?.holder ?? '', lease?.fence ?? '', entry.version, rankOf(entry), isOver ? '' : dueAt],
      ...[state, writeFacts(changed), writeDestinations(destinations), isOver ? over : pending, pending],
      ...(frozen === undefined ? [] : [frozen ?? '']),
    ],
  )
  return done === 1 ? changed : undefined
}

export async function read(connection: RedisConnection, key: ReportKey): Promise<ReportEntry | undefined> {
  const [entry] = await readAll(connection, [nameOf(key)])
  return entry
}

export async function frozen({ sendForBytes }: RedisConnection, key: ReportKey): Promise<Uint8Array | undefined> {
  const body = await sendForBytes('HGET', REPORT + nameOf(key), 'body')
  return Buffer.isBuffer(body) ? body : undefined
}

/** Those that are gone are passed over: they must not keep the others waiting. */
export async function due(connection: RedisConnection, now: number, limit: number): Promise<readonly ReportEntry[]> {
  for (;;) {
    const ranks = texts(await connection.send('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, Math.min(limit, PIECE)))
    const entries = await readAll(connection, ranks.map(nameOfRank))
    if (entries.length > 0 || ranks.length === 0) return entries
  }
}

export async function list(connection: RedisConnection, query: ReportQuery): Promise<readonly ReportEntry[]> {
  const { domain, states = STATES, after, limit } = query
  if (domain !== undefined) return listDomain(connection, domain, query)
  const behind = after === undefined ? '-' : `(${rankOf(after)}`
  const ranks = new Set<string>()
  for (const state of new Set(states))
    for (const rank of await ranksIn(connection, state, behind, limit)) ranks.add(rank)
  const names = [...ranks].sort().slice(0, limit).map(nameOfRank)
  const entries = await readAll(connection, names)
  if (entries.length < names.length) return list(connection, query) // what is gone must not look like the end
  return entries.filter(({ state }) => states.includes(state))
}

async function listDomain(
  connection: RedisConnection,
  domain: string,
  { states = STATES, after, limit }: ReportQuery,
): Promise<readonly ReportEntry[]> {
  const isWanted = (entry: ReportEntry): boolean =>
    states.includes(entry.state) && (after === undefined || rankOf(entry) > rankOf(after))
  const found: ReportEntry[] = []
  const [first, end] = namesOf(domain)
  let from = after === undefined ? first : `[${nameOf({ domain, start: after.start })}`
  for (;;) {
    const names = texts(await connection.send('ZRANGEBYLEX', BY_DOMAIN, from, end, 'LIMIT', 0, PIECE))
    found.push(...(await readAll(connection, names)).filter(isWanted))
    if (names.length < PIECE || found.length >= limit) return found.slice(0, limit)
    from = `(${names.at(-1) ?? ''}`
  }
}

/** The first ones in a state that are behind one. */
async function ranksIn(
  { send }: RedisConnection,
  state: ReportState,
  behind: string,
  limit: number,
): Promise<readonly string[]> {
  const found: string[] = []
  let from = behind
  while (found.length < limit) {
    const piece = Math.min(PIECE, limit - found.length)
    const ranks = texts(await send('ZRANGEBYLEX', stateKey(state), from, '+', 'LIMIT', 0, piece))
    found.push(...ranks)
    if (ranks.length < piece) break
    from = `(${ranks.at(-1) ?? ''}`
  }
  return found
}

export async function count({ send }: RedisConnection, state: ReportState, most: number): Promise<number> {
  return Math.min(Number(await send('ZCARD', stateKey(state))), most)
}

/** Pieces that leave others their turn. */
export async function removeOld(run: SharedRedis['run'], before: number): Promise<Done<void>> {
  for (const state of STATES) {
    for (let behind = '+'; behind !== '';) {
      const words = [behind, `(${endOfRanks(before)}`, before, PIECE]
      const last = await run(({ script }) => script(REMOVE_OLD, [stateKey(state)], words))
      if (!last.ok) return last
      behind = typeof last.value === 'string' && last.value !== '' ? `(${last.value}` : ''
    }
  }
  return { ok: true, value: undefined }
}

/** The reports of these names, in their order; what is gone is forgotten. */
async function readAll(connection: RedisConnection, names: readonly string[]): Promise<readonly ReportEntry[]> {
  const found: ReportEntry[] = []
  for (let at = 0; at < names.length; at += PIECE) {
    const piece = names.slice(at, at + PIECE)
    const replies = await Promise.all(piece.map((name) => connection.send('HMGET', REPORT + name, ...FIELDS)))
    const entries = piece.map((name, index) => asEntry(name, replies[index] ?? null))
    const gone = piece.filter((_, index) => entries[index] === undefined)
    if (gone.length > 0) await connection.script(FORGET, [], gone)
    for (const entry of entries) if (entry !== undefined) found.push(entry)
  }
  return found
}

/** Only we write these fields. */
function asEntry(name: string, reply: Reply): ReportEntry | undefined {
  if (!Array.isArray(reply) || reply.some((field) => typeof field !== 'string')) return undefined
  const [state = '', end, facts = '', destinations = '', version] = reply.map(String)
  return {
    ...keyOfName(name),
    ...readFacts(facts),
    end: Number(end),
    state: state as ReportState,
    destinations: readDestinations(destinations),
    version: Number(version),
  }
}

type Facts = Pick<ReportEntry, 'reportId' | 'dueAt' | 'firstTriedAt' | 'note' | 'sessions' | 'size'>

function writeFacts({ reportId, dueAt, firstTriedAt, note, sessions, size }: Facts): string {
  return JSON.stringify({ reportId, dueAt: dueAt === Infinity ? null : dueAt, firstTriedAt, note, sessions, size })
}

function readFacts(text: string): Facts {
  const { dueAt, reportId, firstTriedAt, note, sessions, size } = JSON.parse(text) as Omit<Facts, 'dueAt'> & {
    readonly dueAt: number | null
  }
  return { reportId, dueAt: dueAt ?? Infinity, firstTriedAt, note, sessions, size }
}

function texts(reply: Reply): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
