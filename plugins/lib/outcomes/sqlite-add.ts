/**
 * Adding a batch to the tables: all of it or nothing, once.
 *
 * @module
 */

import type { Connection } from '../store'
import { foldedFailure, foldedPolicy, LONGEST_POLICY, MOST_DETAILS, MOST_POLICIES, MOST_SESSION_KINDS } from './fold'
import { findText, useDomain, useText } from './sqlite-names'
import { NOTHING } from './sqlite-tables'
import type { Added, Batch, PolicyCount, SessionCount } from './store'
import { DAY, HOUR, LEVELS, writeFailure, writePolicy } from './written'

/** One UTC hour of one recipient domain. */
interface Place {
  readonly domain: string
  readonly id: number
  readonly day: number
  /** of the day */
  readonly hour: number
}

export function addBatch(connection: Connection, batch: Batch, now: number): Added {
  return connection.transaction(() => {
    if (!isNext(connection, batch, now)) return { isNew: false, bookedForward: 0, folded: 0 }
    const closed = closedUntil(connection)
    const late = batch.policies.filter(({ hour }) => hour < closed)
    const policies = batch.policies.map((count) => (count.hour < closed ? { ...count, hour: closed } : count))

    let folded = 0
    for (const counts of byPlace(policies)) folded += addPolicies(connection, placeOf(connection, counts[0]), counts)
    for (const counts of byPlace(batch.sessions)) addSessions(connection, placeOf(connection, counts[0]), counts)
    for (const hour of new Set(policies.map((count) => count.hour / HOUR)))
      connection.prepare('INSERT OR IGNORE INTO hour VALUES (?)').run(hour)
    return { isNew: true, bookedForward: sum(late), folded }
  })
}

/** The instant before which all hours are closed. */
export function closedUntil({ prepare }: Connection): number {
  return Number(prepare("SELECT value FROM number WHERE name = 'closed'").get()?.value)
}

function isNext({ prepare }: Connection, { writer, number }: Batch, now: number): boolean {
  const { changes } = prepare(
    `INSERT INTO writer VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
     WHERE writer.number < excluded.number`,
  ).run(writer, number, now)
  return Number(changes) === 1
}

/** The order within a batch does not matter, so what is in one place in the tables is written together. */
function byPlace<Count extends { readonly hour: number; readonly domain: string }>(
  counts: readonly Count[],
): Iterable<readonly [Count, ...Count[]]> {
  const places = new Map<string, [Count, ...Count[]]>()
  for (const count of counts) {
    const key = `${count.hour} ${count.domain}`
    const place = places.get(key)
    if (place === undefined) places.set(key, [count])
    else place.push(count)
  }
  return places.values()
}

function placeOf(connection: Connection, { domain, hour }: { readonly domain: string; readonly hour: number }): Place {
  const day = Math.floor(hour / DAY)
  return { domain, id: useDomain(connection, domain, day), day, hour: (hour - day * DAY) / HOUR }
}

/** What an hour of a domain has already, so that it is known what would be one too many. */
interface Known {
  readonly policies: Set<number>
  /** policy and detail */
  readonly details: Set<string>
}

/** @returns how many were counted with less detail */
function addPolicies(connection: Connection, place: Place, counts: readonly PolicyCount[]): number {
  const { id, day, hour } = place
  const insert = connection.prepare(
    `INSERT INTO counted VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (day, domain, hour, policy, detail) DO UPDATE SET count = count + excluded.count`,
  )
  const known = knownOf(connection, place)
  let folded = 0
  for (const { policy, failure, count } of counts) {
    const full = writePolicy(policy)
    const keepsPolicy = mayUsePolicy(connection, known, full)
    const policyId = usePolicy(connection, place, keepsPolicy ? full : writePolicy(foldedPolicy(place.domain, policy)))

    const detail = failure === undefined ? undefined : writeFailure(failure)
    const keepsDetail = failure === undefined || mayUseDetail(connection, known, policyId, detail)
    const written = keepsDetail ? detail : writeFailure(foldedFailure(failure))
    const detailId = useText(connection, written, day)

    known.policies.add(policyId)
    if (detailId !== NOTHING) known.details.add(`${policyId} ${detailId}`)
    insert.run(day, id, hour, policyId, detailId, count)
    if (!keepsPolicy || !keepsDetail) folded += count
  }
  return folded
}

function knownOf({ prepare }: Connection, { day, id, hour }: Place): Known {
  const rows = prepare('SELECT policy, detail FROM counted WHERE day = ? AND domain = ? AND hour = ?').all(
    day,
    id,
    hour,
  )
  const failed = rows.filter(({ detail }) => detail !== NOTHING)
  return {
    policies: new Set(rows.map(({ policy }) => Number(policy))),
    details: new Set(failed.map(({ policy, detail }) => `${String(policy)} ${String(detail)}`)),
  }
}

function mayUsePolicy(connection: Connection, { policies }: Known, text: string): boolean {
  if (text.length > LONGEST_POLICY) return false
  if (policies.size < MOST_POLICIES) return true
  const id = findText(connection, text)
  return id !== undefined && policies.has(id)
}

function mayUseDetail(connection: Connection, { details }: Known, policyId: number, text: string | undefined): boolean {
  if (details.size < MOST_DETAILS || text === undefined) return true
  const id = findText(connection, text)
  return id !== undefined && details.has(`${policyId} ${id}`)
}

/** Most domains have no policy: that takes no text. */
function usePolicy(connection: Connection, { domain, day }: Place, text: string): number {
  const none = writePolicy({ type: 'no-policy-found', domain })
  return text === none ? NOTHING : useText(connection, text, day)
}

function addSessions(connection: Connection, place: Place, counts: readonly SessionCount[]): void {
  const { prepare } = connection
  const { id, day, hour } = place
  const insert = prepare(
    `INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (day, domain, hour, host, level, version) DO UPDATE SET count = count + excluded.count`,
  )
  const rows = prepare('SELECT host, level, version FROM session WHERE day = ? AND domain = ? AND hour = ?')
  const known = new Set(rows.all(day, id, hour).map(({ host, level, version }) => keyOf(host, level, version)))
  for (const { host, level, tlsVersion, count } of counts) {
    const version = useText(connection, tlsVersion, day)
    const levelId = LEVELS.indexOf(level)
    const knownHost = host === undefined ? NOTHING : findText(connection, host)
    const keepsHost = known.size < MOST_SESSION_KINDS || known.has(keyOf(knownHost, levelId, version))
    const hostId = keepsHost ? useText(connection, host, day) : NOTHING
    known.add(keyOf(hostId, levelId, version))
    insert.run(day, id, hour, hostId, levelId, version, count)
  }
}

function keyOf(...numbers: readonly unknown[]): string {
  return numbers.join(' ')
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0)
}
