/**
 * What Redis has to say of outcomes: to reports, and to people. Each question to the server is short, however much there is.
 *
 * @module
 */

import type { Done, RedisConnection, Reply, SharedRedis } from '../store'
import type { FailureFacts, Period, PolicyFacts } from '../tlsrpt'
import { boundDetails, foldedFailure, foldedPolicy, MOST_QUOTED_POLICIES } from './fold'
import { countsKey, DAYS, domainsKey, partsOf, policyKey, typeOf, type DayPart } from './redis-keys'
import { DOMAINS } from './redis-scripts'
import type { SessionCount, SessionQuery } from './store'
import { DAY, HOUR, LEVELS, readFailure, readIfSound, readPolicy, type Failure } from './written'

/** How many domains are looked at in one go. */
const PIECE = 500

/** The days of a period that have outcomes, of some tens that are kept. */
async function daysOf({ send }: RedisConnection, period: Period): Promise<readonly DayPart[]> {
  const first = Math.floor(period.start / DAY)
  const days = await send('ZRANGEBYSCORE', DAYS, first, Math.floor(period.end / DAY))
  return partsOf(period, texts(days).map(Number))
}

export async function domainsOf(
  run: SharedRedis['run'],
  period: Period,
  after: string,
  limit: number,
): Promise<Done<readonly string[]>> {
  const parts = await run((connection) => daysOf(connection, period))
  if (!parts.ok) return parts
  const names = new Set<string>()
  for (const part of parts.value) {
    const found = await domainsOn(run, part, after, limit)
    if (!found.ok) return found
    for (const name of found.value) names.add(name)
  }
  return { ok: true, value: [...names].sort().slice(0, limit) }
}

/** The first ones of a day. */
async function domainsOn(
  run: SharedRedis['run'],
  { day, hours }: DayPart,
  after: string,
  limit: number,
): Promise<Done<readonly string[]>> {
  const found: string[] = []
  let behind = after
  do {
    const words = [countsKey(day, ''), behind, hours, limit - found.length, PIECE]
    const piece = await run(async ({ script }) => texts(await script(DOMAINS, [domainsKey(day)], words)))
    if (!piece.ok) return piece
    const [last = '', ...names] = piece.value
    found.push(...names)
    behind = last
  } while (behind !== '')
  return { ok: true, value: found }
}

/** Domains that are read at once: of a hostile one there may be a megabyte. */
const AT_ONCE = 5

export async function policiesOfEach(
  run: SharedRedis['run'],
  domains: readonly string[],
  period: Period,
): Promise<Done<readonly (readonly PolicyFacts[])[]>> {
  const parts = await run((connection) => daysOf(connection, period))
  if (!parts.ok) return parts
  const facts: (readonly PolicyFacts[])[] = []
  for (let from = 0; from < domains.length; from += AT_ONCE) {
    const some = domains.slice(from, from + AT_ONCE)
    const read = await run((connection) =>
      Promise.all(some.map((domain) => policiesOf(connection, domain, parts.value))),
    )
    if (!read.ok) return read
    facts.push(...read.value)
  }
  return { ok: true, value: facts }
}

async function policiesOf(
  connection: RedisConnection,
  domain: string,
  parts: readonly DayPart[],
): Promise<readonly PolicyFacts[]> {
  const sums = new Map<string, Map<string, number>>()
  for (const { day, hours } of parts) {
    for (const [field, count] of await countsOf(connection, day, domain)) {
      const [, hour, ref = '', detail = ''] = /^(\d\d)\|([^|]*)\|([^]*)$/.exec(field) ?? []
      if (hour === undefined || !isIn(hours, hour)) continue
      const details = sums.get(ref) ?? new Map<string, number>()
      sums.set(ref, details.set(detail, (details.get(detail) ?? 0) + count))
    }
  }
  const mostFirst = [...sums].sort(([, a], [, b]) => total(b) - total(a))
  const quoted = mostFirst.slice(0, MOST_QUOTED_POLICIES).map(([ref]) => ref)
  const written = await writtenPolicies(connection, quoted)
  return boundDetails(mostFirst.map(([ref, details]) => factsOf(domain, ref, written.get(ref), details)))
}

function total(details: ReadonlyMap<string, number>): number {
  return [...details.values()].reduce((sum, count) => sum + count, 0)
}

/** @param written - of a policy that is quoted, as long as its text is there */
function factsOf(
  domain: string,
  ref: string,
  written: string | undefined,
  counts: ReadonlyMap<string, number>,
): PolicyFacts {
  const detailOf = (detail: string): Failure =>
    readIfSound(readFailure, detail) ?? foldedFailure({ type: 'validation-failure' })
  const details = [...counts]
    .filter(([detail]) => detail !== '')
    .map(([detail, count]): FailureFacts => ({ ...detailOf(detail), count }))
  return {
    policy: readIfSound(readPolicy, written) ?? foldedPolicy(domain, { type: typeOf(ref) }),
    successes: counts.get('') ?? 0,
    failures: details.reduce((sum, { count }) => sum + count, 0),
    details,
  }
}

/** The texts of policies by their names, as far as they are there. */
async function writtenPolicies(
  { send }: RedisConnection,
  refs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const named = refs.filter((ref) => ref !== '')
  const replies = named.length === 0 ? [] : await send('MGET', ...named.map(policyKey))
  return new Map(
    named.flatMap((ref, index) => {
      const text = Array.isArray(replies) ? (replies[index] as Reply) : null
      return typeof text === 'string' ? [[ref, text] as const] : []
    }),
  )
}

export async function sessionsOf(
  run: SharedRedis['run'],
  { period, domain }: SessionQuery,
): Promise<Done<readonly SessionCount[]>> {
  const parts = await run((connection) => daysOf(connection, period))
  if (!parts.ok) return parts
  const sessions: SessionCount[] = []
  for (const part of parts.value) {
    let behind: string | undefined = ''
    while (behind !== undefined) {
      const from: string = behind
      const piece = await run((connection) => sessionsOn(connection, part, domain, from))
      if (!piece.ok) return piece
      for (const session of piece.value.sessions) sessions.push(session)
      behind = piece.value.last
    }
  }
  return { ok: true, value: sessions }
}

interface Piece {
  readonly sessions: readonly SessionCount[]
  /** undefined: there are no more */
  readonly last: string | undefined
}

async function sessionsOn(
  connection: RedisConnection,
  { day, hours }: DayPart,
  domain: string | undefined,
  behind: string,
): Promise<Piece> {
  const from = behind === '' ? '-' : `(${behind}`
  const names =
    domain === undefined
      ? texts(await connection.send('ZRANGEBYLEX', domainsKey(day), from, '+', 'LIMIT', 0, PIECE))
      : [domain]
  const counts = await Promise.all(names.map((name) => countsOf(connection, day, name)))
  return {
    sessions: names.flatMap((name, index) =>
      (counts[index] ?? []).flatMap(([field, count]) => {
        const session = asSession(day, hours, name, field, count)
        return session === undefined ? [] : [session]
      }),
    ),
    last: names.length < PIECE ? undefined : names.at(-1),
  }
}

function asSession(day: number, hours: number, domain: string, field: string, count: number): SessionCount | undefined {
  const [, hour, level, version = '', host = ''] = /^s(\d\d)\|(\d+)\|([^|]*)\|([^]*)$/.exec(field) ?? []
  if (hour === undefined || !isIn(hours, hour)) return undefined
  return {
    hour: day * DAY + Number(hour) * HOUR,
    domain,
    host: host === '' ? undefined : host,
    level: LEVELS[Number(level)] ?? 'refused',
    tlsVersion: version === '' ? undefined : version,
    count,
  }
}

async function countsOf(
  { send }: RedisConnection,
  day: number,
  domain: string,
): Promise<readonly (readonly [string, number])[]> {
  const flat = texts(await send('HGETALL', countsKey(day, domain)))
  return flat.flatMap((field, index) => (index % 2 === 0 ? [[field, Number(flat[index + 1])] as const] : []))
}

function isIn(hours: number, hour: string): boolean {
  return (hours & (1 << Number(hour))) !== 0
}

export function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
