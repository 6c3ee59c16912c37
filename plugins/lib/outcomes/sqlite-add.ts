/**
 * Adding a batch to the tables: all of it or nothing, once.
 *
 * @module
 */

import type { Connection } from '../store'
import { addHour, kindsOf, readDay, writeDay, type DayCounts } from './day-counts'
import {
  foldedFailure,
  foldedPolicy,
  LONGEST_POLICY,
  MOST_DETAILS,
  MOST_DETAILS_A_DAY,
  MOST_POLICIES,
  MOST_POLICIES_A_DAY,
  MOST_SESSION_KINDS,
  MOST_SESSION_KINDS_A_DAY,
} from './fold'
import { NO_POLICY } from './sqlite-tables'
import { openTexts, type Texts } from './sqlite-texts'
import type { Added, Batch, PolicyCount, SessionCount } from './store'
import { DAY, HOUR, writeFailure, writePolicy, writeSessionKind } from './written'

/** What a batch has for one UTC day of one recipient domain. */
interface DayOfDomain {
  readonly day: number
  readonly domain: string
  readonly policies: PolicyCount[]
  readonly sessions: SessionCount[]
}

export function addBatch(connection: Connection, batch: Batch, now: number): Added {
  return connection.transaction(() => {
    if (!isNext(connection, batch, now)) return { isNew: false, bookedForward: 0, folded: 0 }
    const kept = Math.min(numberOf(connection, 'removed'), Math.floor(now / DAY)) * DAY // a clock may have been wrong
    const closed = closedUntil(connection)
    // hours that are closed far ahead will be opened again: nothing is booked there meanwhile
    const open = Math.max(closed > now + DAY ? 0 : closed, kept)
    const late = batch.policies.filter(({ hour }) => hour < open)
    const policies = batch.policies.map((count) => (count.hour < open ? { ...count, hour: open } : count))
    // what is written for a day that is being removed could outlive the texts that it refers to
    const sessions = batch.sessions.map((count) => (count.hour < kept ? { ...count, hour: kept } : count))

    const texts = openTexts(connection)
    let folded = 0
    for (const place of byDay(policies, sessions)) folded += addToDay(connection, texts, place)
    for (const hour of new Set(policies.map((count) => count.hour / HOUR)))
      connection.prepare('INSERT OR IGNORE INTO hour VALUES (?)').run(hour)
    return { isNew: true, bookedForward: sum(late), folded }
  })
}

/** The instant before which all hours are closed. */
export function closedUntil(connection: Connection): number {
  return numberOf(connection, 'closed')
}

function numberOf({ prepare }: Connection, name: 'closed' | 'removed'): number {
  return Number(prepare('SELECT value FROM number WHERE name = ?').get(name)?.value)
}

function isNext({ prepare }: Connection, { writer, number }: Batch, now: number): boolean {
  const { changes } = prepare(
    `INSERT INTO writer VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
     WHERE writer.number < excluded.number`,
  ).run(writer, number, now)
  return Number(changes) === 1
}

/** The order within a batch does not matter, so what is in one row is written together. */
function byDay(policies: readonly PolicyCount[], sessions: readonly SessionCount[]): Iterable<DayOfDomain> {
  const places = new Map<string, DayOfDomain>()
  const placeOf = ({ hour, domain }: PolicyCount | SessionCount): DayOfDomain => {
    const day = Math.floor(hour / DAY)
    const key = `${day} ${domain}`
    const place = places.get(key) ?? { day, domain, policies: [], sessions: [] }
    places.set(key, place)
    return place
  }
  for (const count of policies) placeOf(count).policies.push(count)
  for (const count of sessions) placeOf(count).sessions.push(count)
  return places.values()
}

/** @returns how many were counted with less detail */
function addToDay({ prepare }: Connection, texts: Texts, place: DayOfDomain): number {
  const { day, domain } = place
  const row = prepare('SELECT policies, sessions FROM day WHERE day = ? AND domain = ?').get(day, domain)
  const policies = readDay(String(row?.policies ?? ''))
  const sessions = readDay(String(row?.sessions ?? ''))
  const folded = addPolicies(texts, policies, place)
  addSessions(texts, sessions, place)
  prepare(
    `INSERT INTO day VALUES (?, ?, ?, ?)
     ON CONFLICT (day, domain) DO UPDATE SET policies = excluded.policies, sessions = excluded.sessions`,
  ).run(day, domain, writeDay(policies), writeDay(sessions))
  return folded
}

/** What an hour, or a day, of a domain has already, so that it is known what would be one too many. */
interface Known {
  /** numbers of policies */
  readonly policies: Set<string>
  /** kinds of counts: those of failures */
  readonly details: Set<string>
}

/** The kind of a count: the number of its policy, 0 without one, and that of its detail, if it failed. */
function kindOf(policy: number, detail: number | undefined): string {
  return detail === undefined ? String(policy) : `${policy}.${detail}`
}

function addPolicies(texts: Texts, counts: DayCounts, { day, domain, policies }: DayOfDomain): number {
  const inDay = knownOf([...counts.keys()])
  const knownIn = eachOnce((hour: number) => knownOf(kindsOf(counts, hour)))
  let folded = 0
  for (const { hour: at, policy, failure, count } of policies) {
    const hour = hourOf(at, day)
    const inHour = knownIn(hour)
    const full = writePolicy(policy)
    const keepsPolicy =
      isNone(domain, full) ||
      (full.length <= LONGEST_POLICY &&
        mayUse(inHour.policies, inDay.policies, POLICIES, () => String(texts.find(domain, full))))
    const written = keepsPolicy ? full : writePolicy(foldedPolicy(domain, policy))
    const policyId = isNone(domain, written) ? NO_POLICY : texts.use(domain, written, day)

    let keepsDetail = true
    let kind = kindOf(policyId, undefined)
    if (failure !== undefined) {
      const detail = writeFailure(failure)
      keepsDetail = mayUse(inHour.details, inDay.details, DETAILS, () => kindOf(policyId, texts.find(domain, detail)))
      kind = kindOf(policyId, texts.use(domain, keepsDetail ? detail : writeFailure(foldedFailure(failure)), day))
    }
    for (const { policies: ids, details } of [inHour, inDay]) {
      ids.add(String(policyId))
      if (failure !== undefined) details.add(kind)
    }
    addHour(counts, kind, hour, count)
    if (!keepsPolicy || !keepsDetail) folded += count
  }
  return folded
}

function knownOf(kinds: readonly string[]): Known {
  return {
    policies: new Set(kinds.map((kind) => kind.split('.', 1)[0] ?? '')),
    details: new Set(kinds.filter((kind) => kind.includes('.'))),
  }
}

/** How many are told apart. */
interface Bounds {
  readonly ofHour: number
  readonly ofDay: number
}

const POLICIES: Bounds = { ofHour: MOST_POLICIES, ofDay: MOST_POLICIES_A_DAY }
const DETAILS: Bounds = { ofHour: MOST_DETAILS, ofDay: MOST_DETAILS_A_DAY }
const SESSION_KINDS: Bounds = { ofHour: MOST_SESSION_KINDS, ofDay: MOST_SESSION_KINDS_A_DAY }

/** Whether one more would not be one too many. @param find - its name, if it has one already */
function mayUse(
  inHour: ReadonlySet<string>,
  inDay: ReadonlySet<string>,
  { ofHour, ofDay }: Bounds,
  find: () => string,
): boolean {
  const hasRoom = inHour.size < ofHour
  if (hasRoom && inDay.size < ofDay) return true
  const known = find()
  return inHour.has(known) || (hasRoom && inDay.has(known))
}

/** Most domains have no policy: that takes no text. */
function isNone(domain: string, written: string): boolean {
  return written === writePolicy({ type: 'no-policy-found', domain })
}

function addSessions(texts: Texts, counts: DayCounts, { day, domain, sessions }: DayOfDomain): void {
  const inDay = new Set(counts.keys())
  const knownIn = eachOnce((hour: number) => new Set(kindsOf(counts, hour)))
  for (const { hour: at, count, ...session } of sessions) {
    const hour = hourOf(at, day)
    const inHour = knownIn(hour)
    const full = writeSessionKind(session)
    const keepsHost = mayUse(inHour, inDay, SESSION_KINDS, () => String(texts.find(domain, full)))
    const written = keepsHost ? full : writeSessionKind({ ...session, host: undefined })
    const kind = String(texts.use(domain, written, day))
    for (const known of [inHour, inDay]) known.add(kind)
    addHour(counts, kind, hour, count)
  }
}

function hourOf(instant: number, day: number): number {
  return (instant - day * DAY) / HOUR
}

/** A function that works once for each argument. */
function eachOnce<Result>(work: (argument: number) => Result): (argument: number) => Result {
  const done = new Map<number, Result>()
  return (argument) => {
    const result = done.get(argument) ?? work(argument)
    done.set(argument, result)
    return result
  }
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0)
}
