/**
 * What the tables have to say: to reports, and to people.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Connection, Done, SharedDatabase } from '../store'
import type { FailureFacts, Period, PolicyFacts } from '../tlsrpt'
import { anyHour, hoursOf, readDay, sumOf } from './day-counts'
import { NO_POLICY } from './sqlite-tables'
import { textOf } from './sqlite-texts'
import type { SessionCount, SessionQuery } from './store'
import { DAY, HOUR, readFailure, readPolicy, readSessionKind } from './written'

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
  const lastOf = prepare('SELECT domain FROM day WHERE day = ? AND domain > ? ORDER BY domain LIMIT 1 OFFSET ?')
  const find = prepare(
    'SELECT domain FROM day WHERE day = ? AND domain > ? AND domain <= ? AND policies GLOB ? ORDER BY domain LIMIT ?',
  )
  const parts = partsOf(period)
  const lasts = parts.map(({ day }) => lastOf.get(day, after, PIECE - 1)?.domain)
  const last = lasts.filter((name) => typeof name === 'string').sort()[0]
  const names = parts.flatMap(({ day, from, to }) =>
    find.all(day, after, last ?? BEHIND_ALL, anyHour(from, to), wanted).map(({ domain }) => String(domain)),
  )
  return { names: [...new Set(names)].sort().slice(0, wanted), last }
}

export function policiesOf(connection: Connection, domain: string, period: Period): readonly PolicyFacts[] {
  const find = connection.prepare('SELECT policies FROM day WHERE day = ? AND domain = ?')
  const policies = new Map<number, Map<number, number>>()
  for (const { day, from, to } of partsOf(period)) {
    const row = find.get(day, domain)
    if (row === undefined) continue
    for (const [kind, hours] of readDay(String(row.policies))) {
      const count = sumOf(hours, from, to)
      if (count === 0) continue
      const [policy = NO_POLICY, detail = SUCCESS] = kind.split('.').map(Number)
      const details = policies.get(policy) ?? new Map<number, number>()
      details.set(detail, (details.get(detail) ?? 0) + count)
      policies.set(policy, details)
    }
  }
  return [...policies].sort(byNumber).map(([policy, details]) => factsOf(connection, domain, policy, details))
}

/** In place of a detail's number. */
const SUCCESS = 0

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
    .filter(([detail]) => detail !== SUCCESS)
    .map(([detail, count]): FailureFacts => ({ ...readFailure(textOf(connection, detail, domain)), count }))
  return {
    policy: policy === NO_POLICY ? { type: 'no-policy-found', domain } : readPolicy(textOf(connection, policy, domain)),
    successes: counts.get(SUCCESS) ?? 0,
    failures: details.reduce((total, { count }) => total + count, 0),
    details,
  }
}

export function sessionsOf(connection: Connection, { period, domain }: SessionQuery): readonly SessionCount[] {
  const rows = connection.prepare('SELECT domain, sessions FROM day WHERE day = ? AND domain BETWEEN ? AND ?')
  const names = domain === undefined ? ['', BEHIND_ALL] : [domain, domain]
  return partsOf(period).flatMap(({ day, from, to }) =>
    rows.all(day, ...names).flatMap((row) => {
      const name = String(row.domain)
      return [...readDay(String(row.sessions))].flatMap(([kind, hours]) => {
        const those = hoursOf(hours).filter(([hour]) => hour >= from && hour < to)
        if (those.length === 0) return []
        const session = readSessionKind(textOf(connection, Number(kind), name))
        return those.map(([hour, count]) => ({ hour: day * DAY + hour * HOUR, domain: name, ...session, count }))
      })
    }),
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
