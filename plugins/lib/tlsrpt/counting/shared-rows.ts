/**
 * Policies, failures and connections: rows that many counts refer to by their id.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { insertRows, marks, pieces, type Database, type Row, type Value } from '../../store'
import type { AppliedPolicy, ResultType } from '../format'
import type { FailureKind, SessionCount } from './counts'

export type SharedTable = 'outcome_policy' | 'outcome_failure' | 'outcome_connection'

/** A row as it is written, but for its id. */
export interface SharedRow {
  readonly hash: string
  /** of the table, see {@link COLUMNS} */
  readonly values: readonly Value[]
}

export const COLUMNS: Readonly<Record<SharedTable, string>> = {
  outcome_policy: 'type, domain, strings, mx',
  outcome_failure: 'result, reason, sending_address, receiving_host, receiving_address, receiving_helo, information',
  outcome_connection: 'host, level, tls_version',
}

/** Of SHA-256 in base64url: 128 bits and more, for others choose their policies. */
const HASH_LENGTH = 22

function rowOf(values: readonly Value[]): SharedRow {
  return { hash: hash('sha256', JSON.stringify(values), 'base64url').slice(0, HASH_LENGTH), values }
}

export function policyRow(policy: AppliedPolicy): SharedRow {
  const strings = policy.type === 'no-policy-found' ? undefined : policy.strings
  const mx = policy.type === 'sts' ? policy.mx : undefined
  return rowOf([policy.type, policy.domain, strings ? JSON.stringify(strings) : null, mx ? JSON.stringify(mx) : null])
}

export function policyOfRow(row: Row): AppliedPolicy {
  const domain = String(row.domain)
  const list = (value: Value | undefined): string[] => JSON.parse(String(value)) as string[]
  const strings = typeof row.strings === 'string' ? { strings: list(row.strings) } : {}
  if (row.type === 'tlsa') return { type: 'tlsa', domain, ...strings }
  if (row.type !== 'sts') return { type: 'no-policy-found', domain }
  return { type: 'sts', domain, ...strings, ...(typeof row.mx === 'string' && { mx: list(row.mx) }) }
}

export function failureRow(failure: FailureKind): SharedRow {
  const { type, reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information } = failure
  const others = [reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information]
  return rowOf([type, ...others.map((value) => value ?? null)])
}

export function readFailure(row: Row): FailureKind {
  const text = (name: string): string | undefined => (row[name] === null ? undefined : String(row[name]))
  return {
    type: row.result as ResultType,
    reason: text('reason'),
    sendingAddress: text('sending_address'),
    receivingHost: text('receiving_host'),
    receivingAddress: text('receiving_address'),
    receivingHelo: text('receiving_helo'),
    information: text('information'),
  }
}

export function connectionRow({ host, level, tlsVersion }: Omit<SessionCount, 'hour' | 'domain' | 'count'>): SharedRow {
  return rowOf([host ?? null, level, tlsVersion ?? null])
}

/** Writes the rows that are missing, and that all of them are counted on a day. @returns their ids by their hashes */
export async function useRows(
  database: Database,
  table: SharedTable,
  rows: ReadonlyMap<string, SharedRow>,
  day: number,
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>()
  const outdated: number[] = []
  for (const hashes of pieces([...rows.keys()])) {
    const sql = `SELECT id, hash, last_day FROM ${table} WHERE hash IN (${marks(hashes.length)})`
    for (const row of await database.all(sql, hashes)) {
      ids.set(String(row.hash), Number(row.id))
      if (Number(row.last_day) < day) outdated.push(Number(row.id))
    }
  }
  for (const some of pieces(outdated))
    await database.run(`UPDATE ${table} SET last_day = ? WHERE id IN (${marks(some.length)})`, [day, ...some])

  const missing = [...rows.values()].filter((row) => !ids.has(row.hash))
  if (missing.length === 0) return ids
  const [last] = await database.all(`SELECT coalesce(max(id), 0) AS id FROM ${table}`)
  missing.forEach((row, index) => ids.set(row.hash, Number(last?.id) + index + 1))
  const written = missing.map((row) => [ids.get(row.hash) ?? 0, row.hash, day, ...row.values])
  await insertRows(database, `${table} (id, hash, last_day, ${COLUMNS[table]})`, written)
  return ids
}

/** Reads rows by their ids. */
export async function readRows(
  database: Database,
  table: SharedTable,
  columns: string,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Row>> {
  const found = new Map<number, Row>()
  for (const some of pieces(ids)) {
    const rows = await database.all(`SELECT id, ${columns} FROM ${table} WHERE id IN (${marks(some.length)})`, some)
    for (const row of rows) found.set(Number(row.id), row)
  }
  return found
}
