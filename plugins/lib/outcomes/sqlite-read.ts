/**
 * What the tables have to say: to reports, and to people.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Connection, Done, SharedDatabase } from '../store'
import type { FailureFacts, Period, PolicyFacts } from '../tlsrpt'
import { textOf } from './sqlite-names'
import { NOTHING } from './sqlite-tables'
import type { SessionCount, SessionQuery } from './store'
import { DAY, HOUR, LEVELS, readFailure, readPolicy } from './written'

/** The hours of one UTC day that are in a period. */
interface DayPart {
  readonly day: number
  readonly from: number
  /** not included */
  readonly to: number
}

/** No name is behind it. */
const BEHIND_ALL = '\u{10ffff}'

export function firstHour({ prepare }: Connection): number | undefined {
  const row = prepare('SELECT min(hour) AS hour FROM hour').get()
  return typeof row?.hour === 'number' ? row.hour * HOUR : undefined
}

/** How many domains are looked at in one go: some milliseconds, however few of them have anything in a period. */
const PIECE = 1000

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
    const wanted = limit - found.length
    const piece = await run((connection) => domainsBehind(connection, period, from, wanted))
    if (!piece.ok) return piece
    found.push(...piece.value.names)
    behind = piece.value.last
    await setImmediate()
  }
  return { ok: true, value: found }
}

/** `last`: up to which one they were looked at, unless so many were found; undefined: there are no more */
function domainsBehind(
  { prepare }: Connection,
  period: Period,
  after: string,
  wanted: number,
): { readonly names: readonly string[]; readonly last: string | undefined } {
  const parts = partsOf(period)
  if (parts.length === 0) return { names: [], last: undefined }
  const end = prepare('SELECT name FROM domain WHERE name > ? ORDER BY name LIMIT 1 OFFSET ?').get(after, PIECE - 1)
  const last = end === undefined ? undefined : String(end.name)
  const isCounted = 'EXISTS (SELECT 1 FROM counted WHERE day = ? AND domain = id AND hour >= ? AND hour < ?)'
  const onAnyDay = parts.map(() => isCounted).join(' OR ')
  const rows = prepare(`SELECT name FROM domain WHERE name > ? AND name <= ? AND (${onAnyDay}) ORDER BY name LIMIT ?`)
  const hours = parts.flatMap(({ day, from, to }) => [day, from, to])
  const found = rows.all(after, last ?? BEHIND_ALL, ...hours, wanted)
  return { names: found.map(({ name }) => String(name)), last }
}

export function policiesOf(connection: Connection, domain: string, period: Period): readonly PolicyFacts[] {
  // summed up here: SQLite would sort the few rows that there are first
  const rows = connection.prepare(
    `SELECT policy, detail, count FROM counted
     WHERE day = ? AND domain = (SELECT id FROM domain WHERE name = ?) AND hour >= ? AND hour < ?`,
  )
  const policies = new Map<number, Map<number, number>>()
  for (const { day, from, to } of partsOf(period)) {
    for (const row of rows.all(day, domain, from, to)) {
      const details = policies.get(Number(row.policy)) ?? new Map<number, number>()
      details.set(Number(row.detail), (details.get(Number(row.detail)) ?? 0) + Number(row.count))
      policies.set(Number(row.policy), details)
    }
  }
  return [...policies].sort(byNumber).map(([policy, details]) => factsOf(connection, domain, policy, details))
}

/** The same report whenever it is composed, whatever came in which hour. */
function byNumber([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number {
  return a - b
}

function factsOf(
  connection: Connection,
  domain: string,
  policy: number,
  counts: ReadonlyMap<number, number>,
): PolicyFacts {
  const details = [...counts]
    .sort(byNumber)
    .filter(([detail]) => detail !== NOTHING)
    .map(([detail, count]): FailureFacts => ({ ...readFailure(textOf(connection, detail) ?? ''), count }))
  return {
    policy: policy === NOTHING ? { type: 'no-policy-found', domain } : readPolicy(textOf(connection, policy) ?? ''),
    successes: counts.get(NOTHING) ?? 0,
    failures: details.reduce((total, { count }) => total + count, 0),
    details,
  }
}

export function sessionsOf(connection: Connection, { period, domain }: SessionQuery): readonly SessionCount[] {
  const { prepare } = connection
  const rows = prepare(
    `SELECT name, hour, host, level, version, count FROM domain CROSS JOIN session ON domain = id
     WHERE day = ? AND hour >= ? AND hour < ? AND name BETWEEN ? AND ?`,
  )
  const names = domain === undefined ? ['', BEHIND_ALL] : [domain, domain]
  const texts = new Map<unknown, string | undefined>()
  const text = (id: unknown): string | undefined => {
    if (!texts.has(id)) texts.set(id, textOf(connection, Number(id)))
    return texts.get(id)
  }
  return partsOf(period).flatMap(({ day, from, to }) =>
    rows.all(day, from, to, ...names).map((row): SessionCount => ({
      hour: day * DAY + Number(row.hour) * HOUR,
      domain: String(row.name),
      host: text(row.host),
      level: LEVELS[Number(row.level)] ?? 'refused',
      tlsVersion: text(row.version),
      count: Number(row.count),
    })),
  )
}

function partsOf({ start, end }: Period): readonly DayPart[] {
  const first = Math.floor(start / DAY)
  const days = Math.max(0, Math.ceil(end / DAY) - first)
  return Array.from({ length: days }, (_, index) => {
    const day = first + index
    const hours = (instant: number) => Math.min(24, Math.max(0, Math.floor((instant - day * DAY) / HOUR)))
    return { day, from: hours(start), to: hours(end) }
  })
}
