/**
 * What the tables have to say, beside what reports are made of: which domains and hours there are, and sessions as people look at them.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Connection, Done, SharedDatabase } from '../store'
import type { Period } from '../tlsrpt'
import { anyHour, hoursOf, partsOf, readDay, type DayPart } from './day-counts'
import { lengthen, textsOf } from './sqlite-texts'
import type { SessionCount, SessionQuery } from './store'
import { DAY, HOUR, readIfSound, readSessionKind } from './written'

/** No name is behind it. */
const BEHIND_ALL = '\u{10ffff}'

export function firstHour({ prepare }: Connection): number | undefined {
  const row = prepare('SELECT min(hour) AS hour FROM hour').get()
  return typeof row?.hour === 'number' ? row.hour * HOUR : undefined
}

/** How many domains are looked at in one go: a millisecond, however few of them have anything in a period. */
const PIECE = 500

/** The domains that have outcomes in a period. Deliveries go on in between. */
export async function domainsOf(
  run: SharedDatabase['run'],
  period: Period,
  after: string,
  limit: number,
): Promise<Done<readonly string[]>> {
  const found: string[] = []
  for (let behind: string | undefined = after; behind !== undefined && found.length < limit;) {
    const from: string = behind
    const piece = await run((connection) => partsOf(period).map((part) => domainsOn(connection, part, from)))
    if (!piece.ok) return piece
    behind = piece.value.flatMap(({ last }) => last ?? []).sort(inBytes)[0]
    found.push(...inOrder(piece.value, behind))
    await setImmediate()
  }
  return { ok: true, value: found.slice(0, limit) }
}

interface DomainsOfDay {
  /** in the order of their names */
  readonly names: readonly string[]
  /** up to which one they were looked at; undefined: there are no more */
  readonly last: string | undefined
}

function domainsOn({ prepare }: Connection, part: DayPart, behind: string): DomainsOfDay {
  const { day } = part
  const row = prepare(
    `SELECT count(*) AS looked, json_group_array(domain) FILTER (WHERE policies GLOB ?) AS names
     FROM (SELECT domain, policies FROM day WHERE day = ? AND domain > ? ORDER BY domain LIMIT ?)`,
  ).get(anyHour(part), day, behind, PIECE)
  const names = JSON.parse(String(row?.names)) as readonly string[]
  if (row?.looked !== PIECE) return { names, last: undefined }
  const last = prepare('SELECT domain FROM day WHERE day = ? AND domain > ? ORDER BY domain LIMIT 1 OFFSET ?')
  return { names, last: String(last.get(day, behind, PIECE - 1)?.domain) }
}

/** All of them up to one, each once. */
function inOrder(days: readonly DomainsOfDay[], last: string | undefined): readonly string[] {
  if (days.length === 1) return days[0]?.names ?? []
  const names = [...new Set(days.flatMap((day) => day.names))].sort(inBytes)
  return last === undefined ? names : names.filter((name) => inBytes(name, last) <= 0)
}

/** The order that SQLite has, of UTF-8. */
function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function sessionsOf(connection: Connection, { period, domain }: SessionQuery): readonly SessionCount[] {
  const rows = connection.prepare('SELECT domain, sessions FROM day WHERE day = ? AND domain BETWEEN ? AND ?')
  const names = domain === undefined ? ['', BEHIND_ALL] : [domain, domain]
  const counts = partsOf(period).flatMap(({ day, from, to }) =>
    rows.all(day, ...names).flatMap((row) =>
      [...readDay(String(row.sessions))].flatMap(([kind, hours]) =>
        hoursOf(hours)
          .filter(([hour]) => hour >= from && hour < to)
          .map(([hour, count]) => ({
            hour: day * DAY + hour * HOUR,
            domain: String(row.domain),
            kind: Number(kind),
            count,
          })),
      ),
    ),
  )
  const texts = textsOf(connection, [...new Set(counts.map(({ kind }) => kind))], Infinity)
  return counts.flatMap(({ hour, domain: name, kind, count }) => {
    const session = readIfSound(readSessionKind, lengthen(name, texts.get(kind)))
    return session === undefined ? [] : [{ hour, domain: name, ...session, count }]
  })
}
