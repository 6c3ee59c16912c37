/**
 * Adding a batch to the tables: all of it or nothing, once.
 *
 * @module
 */

import type { Connection } from '../store'
import { addHour, kindsOf, readDay, writeDay, type DayCounts } from './day-counts'
import { foldedFailure, foldedPolicy, LONGEST_POLICY, MOST_DETAILS, MOST_POLICIES, MOST_SESSION_KINDS } from './fold'
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
    const closed = closedUntil(connection)
    const late = batch.policies.filter(({ hour }) => hour < closed)
    const policies = batch.policies.map((count) => (count.hour < closed ? { ...count, hour: closed } : count))

    const texts = openTexts(connection)
    let folded = 0
    for (const place of byDay(policies, batch.sessions)) folded += addToDay(connection, texts, place)
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

/** What an hour of a domain has already, so that it is known what would be one too many. */
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
  const knownIn = eachOnce((hour: number) => knownOf(kindsOf(counts, hour)))
  let folded = 0
  for (const { hour: at, policy, failure, count } of policies) {
    const hour = hourOf(at, day)
    const known = knownIn(hour)
    const full = writePolicy(policy)
    const keepsPolicy = mayUsePolicy(texts, known, domain, full)
    const policyId = usePolicy(texts, domain, day, keepsPolicy ? full : writePolicy(foldedPolicy(domain, policy)))
    known.policies.add(String(policyId))

    let keepsDetail = true
    let kind = kindOf(policyId, undefined)
    if (failure !== undefined) {
      const detail = writeFailure(failure)
      keepsDetail = mayUseDetail(texts, known, domain, policyId, detail)
      const written = keepsDetail ? detail : writeFailure(foldedFailure(failure))
      kind = kindOf(policyId, texts.use(domain, written, day))
      known.details.add(kind)
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

function mayUsePolicy(texts: Texts, { policies }: Known, domain: string, text: string): boolean {
  if (text.length > LONGEST_POLICY) return false
  return policies.size < MOST_POLICIES || policies.has(String(texts.find(domain, text)))
}

function mayUseDetail(texts: Texts, { details }: Known, domain: string, policy: number, text: string): boolean {
  return details.size < MOST_DETAILS || details.has(kindOf(policy, texts.find(domain, text) ?? -1))
}

/** Most domains have no policy: that takes no text. */
function usePolicy(texts: Texts, domain: string, day: number, text: string): number {
  const none = writePolicy({ type: 'no-policy-found', domain })
  return text === none ? NO_POLICY : texts.use(domain, text, day)
}

function addSessions(texts: Texts, counts: DayCounts, { day, domain, sessions }: DayOfDomain): void {
  const knownIn = eachOnce((hour: number) => new Set(kindsOf(counts, hour)))
  for (const { hour: at, count, ...session } of sessions) {
    const hour = hourOf(at, day)
    const known = knownIn(hour)
    const full = writeSessionKind(session)
    const keepsHost = known.size < MOST_SESSION_KINDS || known.has(String(texts.find(domain, full)))
    const written = keepsHost ? full : writeSessionKind({ ...session, host: undefined })
    const kind = String(texts.use(domain, written, day))
    known.add(kind)
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
