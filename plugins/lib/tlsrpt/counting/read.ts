/**
 * Reading the counts: what reports are made of, and sessions as people look at them.
 *
 * @module
 */

import { marks, type Database, type Row } from '../../store'
import { HOUR } from '../../time'
import type { AppliedPolicy, FailureFacts, Period, PolicyFacts } from '../format'
import { hoursOf, type LevelCount, type SessionCount, type SessionQuery } from './counts'
import { boundDetails, foldedFailure, foldedPolicy, MOST_QUOTED_POLICIES } from './fold'
import { COLUMNS, readFailure, policyOfRow, readRows } from './shared-rows'

/** The domains that have outcomes in a period, in the order of their names, `limit` of them behind `after`. */
export async function domainsOf(
  database: Database,
  period: Period,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const { days, from, to } = hoursOf(period)
  const names = new Set<string>()
  for (const day of days) {
    const rows = await database.all(
      `SELECT DISTINCT domain FROM outcome_count WHERE day = ? AND domain > ? AND hour >= ? AND hour < ?
       ORDER BY domain LIMIT ?`,
      [day, after, from, to, limit],
    )
    for (const { domain } of rows) names.add(String(domain))
  }
  return [...names].sort(inBytes).slice(0, limit)
}

/** The order of the engines, of UTF-8. */
function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/**
 * All that a report on one domain says of a period; nothing where there is nothing to say. {@link MOST_QUOTED_POLICIES} of its policies
 * are quoted.
 */
export async function policiesOf(database: Database, domain: string, period: Period): Promise<readonly PolicyFacts[]> {
  const [facts = []] = await policiesOfEach(database, [domain], period)
  return facts
}

/** The sessions of one policy. */
interface Sum {
  readonly policy: number
  successes: number
  failures: number
  /** failures by their id */
  readonly details: Map<number, number>
}

/** The same for some tens of domains, in their order: what many reports are made of is better read together. */
export async function policiesOfEach(
  database: Database,
  domains: readonly string[],
  period: Period,
): Promise<readonly (readonly PolicyFacts[])[]> {
  const { days, from, to } = hoursOf(period)
  if (domains.length === 0 || days.length === 0) return domains.map(() => [])
  const rows = await database.all(
    `SELECT domain, policy, failure, count FROM outcome_count
     WHERE day IN (${marks(days.length)}) AND domain IN (${marks(domains.length)}) AND hour >= ? AND hour < ?`,
    [...days, ...domains, from, to],
  )
  const rowsOf = Map.groupBy(rows, ({ domain }) => String(domain))
  const sums = domains.map((domain) => addUp(rowsOf.get(domain) ?? []))
  const texts = await readTexts(database, sums)
  return sums.map((those, index) => factsOf(domains[index] ?? '', those, texts))
}

/** Those with the most sessions first. */
function addUp(rows: readonly Row[]): readonly Sum[] {
  const sums = new Map<number, Sum>()
  for (const row of rows) {
    const [policy, failure, count] = [Number(row.policy), Number(row.failure), Number(row.count)]
    const sum = sums.get(policy) ?? { policy, successes: 0, failures: 0, details: new Map<number, number>() }
    sums.set(policy, sum)
    if (failure === 0) sum.successes += count
    else {
      sum.failures += count
      sum.details.set(failure, (sum.details.get(failure) ?? 0) + count)
    }
  }
  return [...sums.values()].sort((a, b) => b.successes + b.failures - a.successes - a.failures)
}

interface Texts {
  /** of those that are not quoted, the type alone */
  readonly policies: ReadonlyMap<number, Row>
  readonly failures: ReadonlyMap<number, Row>
}

async function readTexts(database: Database, sums: readonly (readonly Sum[])[]): Promise<Texts> {
  const idsOf = (some: readonly Sum[]): number[] => [...new Set(some.map(({ policy }) => policy))]
  const quoted = idsOf(sums.flatMap((those) => those.slice(0, MOST_QUOTED_POLICIES)))
  const others = idsOf(sums.flatMap((those) => those.slice(MOST_QUOTED_POLICIES)))
  const failures = new Set(sums.flat().flatMap(({ details }) => [...details.keys()]))
  return {
    policies: new Map([
      ...(await readRows(database, 'outcome_policy', 'type', others)),
      ...(await readRows(database, 'outcome_policy', COLUMNS.outcome_policy, quoted)),
    ]),
    failures: await readRows(database, 'outcome_failure', COLUMNS.outcome_failure, [...failures]),
  }
}

/** A row that has been removed stands for what is certain without it. */
function factsOf(domain: string, sums: readonly Sum[], { policies, failures }: Texts): readonly PolicyFacts[] {
  const policyOf = (id: number, rank: number): AppliedPolicy => {
    const row = policies.get(id)
    if (row === undefined) return { type: 'no-policy-found', domain }
    if (rank < MOST_QUOTED_POLICIES) return policyOfRow(row)
    return foldedPolicy(domain, { type: row.type as AppliedPolicy['type'] })
  }
  const detailOf = ([id, count]: readonly [id: number, count: number]): FailureFacts => {
    const row = failures.get(id)
    return { ...(row === undefined ? foldedFailure({ type: 'validation-failure' }) : readFailure(row)), count }
  }
  return boundDetails(
    sums.map(({ policy, successes, failures: failed, details }, rank) => ({
      policy: policyOf(policy, rank),
      successes,
      failures: failed,
      details: Array.from(details, detailOf),
    })),
  )
}

/** Sessions with a domain, hour by hour. */
export async function sessionsOf(
  database: Database,
  { period, domain }: SessionQuery,
): Promise<readonly SessionCount[]> {
  const { days, from, to } = hoursOf(period)
  if (days.length === 0) return []
  const rows = await database.all(
    `SELECT outcome_session.hour, outcome_connection.host, outcome_connection.level, outcome_connection.tls_version, count
     FROM outcome_session JOIN outcome_connection ON outcome_connection.id = connection
     WHERE day IN (${marks(days.length)}) AND domain = ? AND hour >= ? AND hour < ?`,
    [...days, domain, from, to],
  )
  return rows.map((row) => ({ ...levelCount(row), domain, host: row.host === null ? undefined : String(row.host) }))
}

/** Sessions with all domains, hour by hour. */
export async function levels(database: Database, { start, end }: Period): Promise<readonly LevelCount[]> {
  const [from, to] = [Math.floor(start / HOUR), Math.min(Math.floor(end / HOUR), Number.MAX_SAFE_INTEGER)]
  const rows = await database.all(
    `SELECT hour, level, tls_version, count FROM outcome_level
     WHERE day >= ? AND day <= ? AND hour >= ? AND hour < ? ORDER BY hour`,
    [Math.floor(from / 24), Math.floor(to / 24), from, to],
  )
  return rows.map(levelCount)
}

function levelCount(row: Row): LevelCount {
  return {
    hour: Number(row.hour) * HOUR,
    level: row.level as LevelCount['level'],
    tlsVersion: row.tls_version === null || row.tls_version === '' ? undefined : String(row.tls_version),
    count: Number(row.count),
  }
}
