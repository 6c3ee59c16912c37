/**
 * Adding a batch: all of it or nothing, once.
 *
 * @module
 */

import { insertRows, isNewBatch, marks, pieces, type Database, type Row, type Value } from '../../store'
import { DAY, HOUR } from '../../time'
import { type Added, type Batch, type PolicyCount, type SessionCount } from './counts'
import { foldedFailure, foldedPolicy, LONGEST_POLICY, MOST_DETAILS, MOST_POLICIES, MOST_SESSION_KINDS } from './fold'
import { connectionRow, failureRow, policyRow, useRows, type SharedRow, type SharedTable } from './shared-rows'

type State = 'closed_until' | 'removed_until'

/** @param now - milliseconds since 1970; the store's clock, unless tests have one of their own */
export async function add(database: Database, batch: Batch, now?: number): Promise<Added> {
  return database.transaction('outcomes', async (inner) => {
    const clock = now ?? (await inner.now())
    if (!(await isNewBatch(inner, batch.writer, batch.number, clock)))
      return { isNew: false, bookedForward: 0, folded: 0 }
    // a clock may have been wrong: hours that are closed or removed far ahead will be opened again, and nothing is booked there meanwhile
    const kept = Math.min(await readState(inner, 'removed_until'), Math.floor(clock / DAY)) * DAY
    const closed = (await readState(inner, 'closed_until')) * HOUR
    const open = Math.max(closed > clock + DAY ? 0 : closed, kept)
    const late = batch.policies.filter(({ hour }) => hour < open)
    const folded = await addPolicies(
      inner,
      batch.policies.map((count) => (count.hour < open ? { ...count, hour: open } : count)),
    )
    await addSessions(
      inner,
      batch.sessions.map((count) => (count.hour < kept ? { ...count, hour: kept } : count)),
    )
    return { isNew: true, bookedForward: late.reduce((sum, { count }) => sum + count, 0), folded }
  })
}

export async function readState(database: Database, name: State): Promise<number> {
  const [row] = await database.all('SELECT value FROM outcome_state WHERE name = ?', [name])
  return Number(row?.value ?? 0)
}

export async function writeState(database: Database, name: State, value: number): Promise<void> {
  await database.run(
    'INSERT INTO outcome_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    [name, value],
  )
}

/** A count of an hour and domain, with the rows that it refers to: policy and failure, or connection. */
interface Entry {
  readonly hour: number
  readonly domain: string
  readonly count: number
  readonly rows: readonly (SharedRow | undefined)[]
}

/** @returns how many were counted with less detail */
async function addPolicies(database: Database, counts: readonly PolicyCount[]): Promise<number> {
  const known = await kindsOf(
    database,
    counts,
    `SELECT counted.domain, outcome_policy.hash AS policy, outcome_failure.hash AS failure FROM outcome_count AS counted
       LEFT JOIN outcome_policy ON outcome_policy.id = policy LEFT JOIN outcome_failure ON outcome_failure.id = failure`,
  )
  const policiesOf = perPlace((place) => new Set((known.get(place) ?? []).map(({ policy }) => policy ?? null)))
  const detailsOf = perPlace((place) => {
    const failed = (known.get(place) ?? []).filter(({ failure }) => failure !== null)
    return new Set(failed.map(({ policy, failure }) => detailKey(policy, failure)))
  })
  let folded = 0
  const entries = counts.map(({ hour, domain, policy, failure, count }): Entry => {
    const [policies, details] = [policiesOf(placeOf({ hour, domain })), detailsOf(placeOf({ hour, domain }))]
    const full = isNone(domain, policy) ? undefined : policyRow(policy)
    const keepsPolicy = full === undefined || (!isLong(full) && mayUse(policies, MOST_POLICIES, full.hash))
    const shorter = foldedPolicy(domain, policy)
    const policyUsed = keepsPolicy ? full : isNone(domain, shorter) ? undefined : policyRow(shorter)
    policies.add(policyUsed?.hash ?? null)
    const detail = failure && failureRow(failure)
    const keepsDetail =
      detail === undefined || mayUse(details, MOST_DETAILS, detailKey(policyUsed?.hash ?? null, detail.hash))
    const failureUsed = keepsDetail ? detail : failure && failureRow(foldedFailure(failure))
    if (failureUsed !== undefined) details.add(detailKey(policyUsed?.hash ?? null, failureUsed.hash))
    if (!keepsPolicy || !keepsDetail) folded += count
    return { hour, domain, count, rows: [policyUsed, failureUsed] }
  })
  await write(database, 'outcome_count', ['policy', 'failure'], ['outcome_policy', 'outcome_failure'], entries)
  return folded
}

async function addSessions(database: Database, counts: readonly SessionCount[]): Promise<void> {
  const known = await kindsOf(
    database,
    counts,
    `SELECT counted.domain, outcome_connection.hash AS connection FROM outcome_session AS counted
       JOIN outcome_connection ON outcome_connection.id = connection`,
  )
  const kindsIn = perPlace((place) => new Set((known.get(place) ?? []).map(({ connection }) => connection ?? null)))
  const entries = counts.map(({ hour, domain, count, ...session }): Entry => {
    const kinds = kindsIn(placeOf({ hour, domain }))
    const full = connectionRow(session)
    const used = mayUse(kinds, MOST_SESSION_KINDS, full.hash) ? full : connectionRow({ ...session, host: undefined })
    kinds.add(used.hash)
    return { hour, domain, count, rows: [used] }
  })
  await write(database, 'outcome_session', ['connection'], ['outcome_connection'], entries)
  await addLevels(database, counts)
}

async function addLevels(database: Database, counts: readonly SessionCount[]): Promise<void> {
  const sums = new Map<string, Value[]>()
  for (const { hour, level, tlsVersion = '', count } of counts) {
    const key = [Math.floor(hour / DAY), hour / HOUR, level, tlsVersion]
    sums.set(key.join(' '), [...key, Number(sums.get(key.join(' '))?.at(-1) ?? 0) + count])
  }
  await addCounts(database, 'outcome_level', ['day', 'hour', 'level', 'tls_version'], sums)
}

/** Most domains have no policy: that takes no row. */
function isNone(domain: string, policy: PolicyCount['policy']): boolean {
  return policy.type === 'no-policy-found' && policy.domain === domain
}

function isLong({ values }: SharedRow): boolean {
  return values.reduce<number>((sum, value) => sum + String(value ?? '').length, 0) > LONGEST_POLICY
}

/** Whether one more would not be one too many. */
function mayUse(known: ReadonlySet<Value>, most: number, key: string): boolean {
  return known.size < most || known.has(key)
}

function detailKey(policy: Value | undefined, failure: Value | undefined): string {
  return `${String(policy)} ${String(failure)}`
}

type Place = Pick<PolicyCount, 'hour' | 'domain'>

function placeOf({ hour, domain }: Place): string {
  return `${hour} ${domain}`
}

/** Makes something once for each hour and domain. */
function perPlace<Made>(make: (place: string) => Made): (place: string) => Made {
  const made = new Map<string, Made>()
  return (place) => {
    const result = made.get(place) ?? make(place)
    made.set(place, result)
    return result
  }
}

/** What is counted already in the hours and domains of a batch. @param select - of `counted` */
async function kindsOf(
  database: Database,
  counts: readonly Place[],
  select: string,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const kinds = new Map<string, Row[]>()
  for (const [hour, places] of Map.groupBy(counts, (count) => count.hour)) {
    for (const domains of pieces([...new Set(places.map(({ domain }) => domain))])) {
      const rows = await database.all(
        `${select} WHERE counted.day = ? AND counted.hour = ? AND counted.domain IN (${marks(domains.length)})`,
        [Math.floor(hour / DAY), hour / HOUR, ...domains],
      )
      for (const [domain, those] of Map.groupBy(rows, (row) => String(row.domain)))
        kinds.set(placeOf({ hour, domain }), those)
    }
  }
  return kinds
}

/** Adds to the counts of a table, after the rows that they refer to. */
async function write(
  database: Database,
  table: string,
  columns: readonly string[],
  shared: readonly SharedTable[],
  entries: readonly Entry[],
): Promise<void> {
  const lastDay = entries.reduce((latest, { hour }) => Math.max(latest, Math.floor(hour / DAY)), 0)
  const ids: ReadonlyMap<string, number>[] = []
  for (const [index, name] of shared.entries()) {
    const rows = entries.flatMap((entry) => entry.rows[index] ?? [])
    ids.push(await useRows(database, name, new Map(rows.map((row) => [row.hash, row])), lastDay))
  }
  const sums = new Map<string, Value[]>()
  for (const { hour, domain, rows, count } of entries) {
    const key = [
      Math.floor(hour / DAY),
      domain,
      hour / HOUR,
      ...rows.map((row, index) => (row && ids[index]?.get(row.hash)) ?? 0),
    ]
    const text = key.join(' ')
    sums.set(text, [...key, Number(sums.get(text)?.at(-1) ?? 0) + count])
  }
  await addCounts(database, table, ['day', 'domain', 'hour', ...columns], sums)
}

/** @param rows - the values of the key and the count, by the key as text */
async function addCounts(
  database: Database,
  table: string,
  key: readonly string[],
  rows: ReadonlyMap<string, Value[]>,
): Promise<void> {
  await insertRows(
    database,
    `${table} (${key.join(', ')}, count)`,
    [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row), // in the order of the table
    `ON CONFLICT (${key.join(', ')}) DO UPDATE SET count = ${table}.count + excluded.count`,
  )
}
