/**
 * Writing to the tables of `sqlite-monitor.ts`: short pieces of work.
 *
 * @module
 */

import type { Connection } from '../store'
import { CLOCKS_APART, MOST_HOSTS, MOST_WAITING, rankOf, type ResolverState, type Sighting } from './facts'
import type { MonitorBatch, WaitingChange } from './store'

/** Adds a batch, all of it or nothing, once. @returns whether it was new */
export function addBatch(connection: Connection, batch: MonitorBatch, now: number): boolean {
  const { prepare, transaction } = connection
  return transaction(() => {
    if (!isNext(connection, batch, now)) return false
    const amount = prepare(
      `INSERT INTO amount VALUES (?, ?, ?, ?) ON CONFLICT (machine, meter, labels) DO UPDATE SET value = value + excluded.value`,
    )
    for (const { meter, labels, value } of batch.amounts) amount.run(batch.machine, meter, labels, value)
    const level = prepare(
      `INSERT INTO level VALUES (?, ?, ?, ?) ON CONFLICT (hour, level, version) DO UPDATE SET count = count + excluded.count`,
    )
    for (const each of batch.levels) level.run(each.hour, each.level, each.tlsVersion ?? '', each.count)
    for (const sighting of batch.sightings) addSighting(connection, sighting, now)
    addWaiting(connection, batch.waiting, now)
    if (batch.resolver !== undefined) saveResolver(connection, batch.resolver)
    return true
  })
}

function isNext({ prepare }: Connection, { writer, number }: MonitorBatch, now: number): boolean {
  const { changes } = prepare(
    `INSERT INTO writer VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
     WHERE writer.number < excluded.number`,
  ).run(writer, number, now)
  return Number(changes) === 1
}

function addSighting({ prepare }: Connection, seen: Sighting, now: number): void {
  const { at, domain, level } = seen
  const isRefusal = level === 'refused'
  const latest = now + CLOCKS_APART
  prepare('DELETE FROM host WHERE domain = ? AND at > ?').run(domain, latest)
  const known = prepare(
    'SELECT refused * (refused <= ?1) AS refused, delivered * (delivered <= ?1) AS delivered FROM destination WHERE domain = ?2',
  ).get(latest, domain)
  const refused = Math.max(Number(known?.refused ?? 0), isRefusal ? at : 0)
  const delivered = Math.max(Number(known?.delivered ?? 0), isRefusal ? 0 : at)
  prepare('INSERT OR REPLACE INTO destination VALUES (?, ?, ?, ?)').run(
    ...[domain, refused, delivered, rankOf(refused, delivered)],
  )

  prepare(
    `INSERT INTO host VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain, host, opened) DO UPDATE SET
       at = excluded.at, level = excluded.level, version = excluded.version, reason = excluded.reason, text = excluded.text
     WHERE excluded.at >= host.at`,
  ).run(domain, seen.host ?? '', isRefusal ? 0 : 1, at, level, seen.tlsVersion ?? '', seen.reason, seen.text)
  const hosts = prepare('SELECT count(*) AS count FROM host WHERE domain = ?').get(domain)
  if (Number(hosts?.count) <= 2 * MOST_HOSTS) return
  prepare(
    `DELETE FROM host WHERE domain = ?1 AND (host, opened) IN
       (SELECT host, opened FROM host WHERE domain = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`,
  ).run(domain, 2 * MOST_HOSTS)
}

function addWaiting({ prepare }: Connection, changes: readonly WaitingChange[], now: number): void {
  if (changes.length === 0) return
  let room = MOST_WAITING - Number(prepare('SELECT count(*) AS count FROM waiting').get()?.count)
  for (const { id, message } of changes) {
    if (message === undefined) {
      room += Number(prepare('DELETE FROM waiting WHERE id = ?').run(id).changes)
      continue
    }
    const { domain, since, nextAt, status, reasons, text } = message
    const row = [nextAt, status, JSON.stringify(reasons), text, now] as const
    const { changes } = prepare(
      'UPDATE waiting SET next = ?, status = ?, reasons = ?, text = ?, at = ? WHERE id = ?',
    ).run(...row, id)
    if (Number(changes) === 1 || room <= 0) continue
    prepare('INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(id, domain, since, ...row)
    room--
  }
}

function saveResolver({ prepare }: Connection, state: ResolverState): void {
  prepare('INSERT OR REPLACE INTO resolver VALUES (?, ?, ?)').run(state.machine, state.at, JSON.stringify(state))
}

/** Domains that are looked at before everything else gets its turn. */
const PIECE = 500

/** Removes domains that were last seen before `before`, of some behind a name. @returns the last of them; undefined: there were no more */
export function removeDestinations(connection: Connection, before: number, behind: string): string | undefined {
  const { prepare, transaction } = connection
  const piece = prepare(
    `SELECT domain, max(refused, delivered) AS seen FROM destination WHERE domain > ? ORDER BY domain LIMIT ${PIECE}`,
  ).all(behind)
  const old = piece.filter(({ seen }) => Number(seen) < before).map(({ domain }) => String(domain))
  if (old.length > 0) transaction(() => remove(connection, old))
  const last = piece.at(-1)?.domain
  return piece.length < PIECE || last === undefined ? undefined : String(last)
}

/** Removes some of the domains that are too many, those that matter least first. @returns how many */
export function removeSurplus(connection: Connection, most: number): number {
  const { prepare, transaction } = connection
  const surplus = Number(prepare('SELECT count(*) AS count FROM destination').get()?.count) - most
  if (surplus <= 0) return 0
  const last = prepare('SELECT domain FROM destination ORDER BY rank, domain LIMIT ?').all(Math.min(surplus, PIECE))
  transaction(() =>
    remove(
      connection,
      last.map(({ domain }) => String(domain)),
    ),
  )
  return last.length
}

function remove({ prepare }: Connection, domains: readonly string[]): void {
  for (const domain of domains) {
    prepare('DELETE FROM host WHERE domain = ?').run(domain)
    prepare('DELETE FROM destination WHERE domain = ?').run(domain)
  }
}

/** Removes hours, writers and resolvers that were last seen before `before`, and messages whose next attempt was due before `overdue`. */
export function removeRest({ prepare, transaction }: Connection, before: number, overdue: number): void {
  transaction(() => {
    prepare('DELETE FROM level WHERE hour < ?').run(before)
    prepare('DELETE FROM writer WHERE at < ?').run(before)
    prepare('DELETE FROM resolver WHERE at < ?').run(before)
    prepare('DELETE FROM waiting WHERE next < ?').run(overdue)
  })
}
