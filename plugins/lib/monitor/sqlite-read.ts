/**
 * Reading the tables of `sqlite-monitor.ts`. What stands in them was written by this program, and is taken for it.
 *
 * @module
 */

import type { Connection } from '../store'
import {
  FAILING_RANK,
  OVERDUE,
  stateOf,
  type Cursor,
  type DestinationDetails,
  type DestinationEntry,
  type LastSeen,
  type Level,
  type LevelCount,
  type ResolverState,
  type WaitingMessage,
} from './facts'
import type { Amount } from './meters'
import type { Census, Span, Waiting } from './store'

type Row = Readonly<Record<string, unknown>>

export function amounts({ prepare }: Connection, machine: string): readonly Amount[] {
  return prepare('SELECT meter, labels, value FROM amount WHERE machine = ? ORDER BY meter, labels')
    .all(machine)
    .map(({ meter, labels, value }) => ({ meter: String(meter), labels: String(labels), value: Number(value) }))
}

export function levels({ prepare }: Connection, { from, to }: Span): readonly LevelCount[] {
  return prepare('SELECT * FROM level WHERE hour >= ? AND hour < ? ORDER BY hour')
    .all(from, to)
    .map(({ hour, level, version, count }) => ({
      hour: Number(hour),
      level: String(level) as Level,
      tlsVersion: version === '' ? undefined : String(version),
      count: Number(count),
    }))
}

export function waiting({ prepare }: Connection, now: number, limit: number): Waiting {
  const current = now - OVERDUE
  const total = prepare('SELECT count(*) AS count FROM waiting WHERE next >= ?').get(current)
  const groups = prepare(
    `SELECT domain, count(*) AS messages, min(since) AS since, min(next) AS next
     FROM waiting WHERE next >= ? GROUP BY domain ORDER BY messages DESC, since LIMIT ?`,
  ).all(current, limit)
  const latest = prepare('SELECT * FROM waiting WHERE domain = ? AND next >= ? ORDER BY at DESC LIMIT 1')
  const domains = groups.map((group) => {
    const { domain, since, nextAt, status, reasons, text } = messageOf({
      ...latest.get(String(group.domain), current),
      ...group,
    })
    return { domain, messages: Number(group.messages), since, nextAt, status, reasons, text }
  })
  return { messages: Number(total?.count), domains }
}

export function waitingFor(
  { prepare }: Connection,
  domain: string,
  now: number,
  limit: number,
): readonly WaitingMessage[] {
  return prepare('SELECT * FROM waiting WHERE domain = ? AND next >= ? ORDER BY since LIMIT ?')
    .all(domain, now - OVERDUE, limit)
    .map(messageOf)
}

function messageOf(row: Row): WaitingMessage {
  return {
    id: String(row.id),
    domain: String(row.domain),
    since: Number(row.since),
    nextAt: Number(row.next),
    status: String(row.status),
    reasons: JSON.parse(String(row.reasons)) as string[],
    text: String(row.text),
  }
}

export function census({ prepare }: Connection): Census {
  const all = prepare('SELECT count(*) AS count FROM destination').get()
  const failing = prepare('SELECT count(*) AS count FROM destination WHERE rank > ?').get(FAILING_RANK)
  return { destinations: Number(all?.count), failing: Number(failing?.count) }
}

/** Names in the order of the list, `limit` of them behind a place in it. */
export function scanDestinations({ prepare }: Connection, after: Cursor | undefined, limit: number): readonly Cursor[] {
  const order = 'ORDER BY rank DESC, domain DESC LIMIT ?'
  const rows =
    after === undefined
      ? prepare(`SELECT rank, domain FROM destination ${order}`).all(limit)
      : prepare(`SELECT rank, domain FROM destination WHERE (rank, domain) < (?, ?) ${order}`).all(
          ...[after.rank, after.domain, limit],
        )
  return rows.map(({ rank, domain }) => ({ rank: Number(rank), domain: String(domain) }))
}

export function entryOf({ prepare }: Connection, domain: string): DestinationEntry {
  const last = (opened: number): LastSeen | undefined => {
    const sql = 'SELECT * FROM host WHERE domain = ? AND opened = ? ORDER BY at DESC LIMIT 1'
    const row = prepare(sql).get(domain, opened)
    return row === undefined ? undefined : lastSeen(row)
  }
  const [refused, delivered] = [last(0), last(1)]
  return { domain, state: stateOf(refused?.at, delivered?.at), refused, delivered }
}

export function destination(connection: Connection, domain: string): DestinationDetails | undefined {
  const rows = connection.prepare('SELECT * FROM host WHERE domain = ? ORDER BY at DESC').all(domain)
  return rows.length === 0 ? undefined : { ...entryOf(connection, domain), hosts: rows.map(lastSeen) }
}

function lastSeen({ at, host, level, version, reason, text }: Row): LastSeen {
  return {
    at: Number(at),
    host: host === '' ? undefined : String(host),
    level: String(level) as Level,
    tlsVersion: version === '' ? undefined : String(version),
    reason: String(reason),
    text: String(text),
  }
}

export function resolvers({ prepare }: Connection): readonly ResolverState[] {
  return prepare('SELECT state FROM resolver ORDER BY machine')
    .all()
    .map(({ state }) => JSON.parse(String(state)) as ResolverState)
}
