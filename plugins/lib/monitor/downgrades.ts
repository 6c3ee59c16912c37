/**
 * Hosts that were better before: what an attack looks like where no policy protects. It is told, and changes no delivery.
 *
 * @module
 */

import { insertRows, marks, type Database } from '../store'
import { DAY, HOUR } from '../time'
import type { ConnectionEvent } from './facts'

/** A host that was Verified or Trusted for a week, and is not any more. */
export interface Downgrade {
  readonly domain: string
  readonly host: string
  /** since when it was, as far as is known, and when it last was */
  readonly goodSince: number
  readonly goodAt: number
  /** what was seen now, as the log has it */
  readonly text: string
}

/** How long a host must have been good, and how often a host that is not any more is told of: milliseconds. */
const LONG_ENOUGH = 7 * DAY
const TOLD_EVERY = DAY

/** What is wrong with the host itself: its certificate, or that it offers no TLS. A policy that it does not keep is another matter. */
const WORSE: ReadonlySet<string> = new Set([
  ...['starttls-not-offered', 'starttls-refused', 'starttls-injection', 'handshake-failed', 'certificate-missing'],
  ...['certificate-not-trusted', 'certificate-expired', 'certificate-host-mismatch'],
])

const isGood = ({ level }: ConnectionEvent): boolean => level === 'verified' || level === 'trusted'

/** Untrusted or clear text where mail went, or refused for what is wrong with the host. */
function isWorse({ level, reason }: ConnectionEvent): boolean {
  return level === 'untrusted' || level === 'clear-text' || (level === 'refused' && WORSE.has(reason))
}

/** How a host has fared: milliseconds since 1970; 0: never. */
interface Quality {
  readonly goodSince: number
  readonly goodAt: number
  /** since when it is not good any more */
  readonly worseAt: number
  readonly toldAt: number
}

const UNKNOWN: Quality = { goodSince: 0, goodAt: 0, worseAt: 0, toldAt: 0 }

/** What a connection makes of it. A host that was not good for long enough is as one that never was. */
function qualityAfter(quality: Quality, seen: ConnectionEvent, now: number): Quality {
  const { goodSince, goodAt, worseAt, toldAt } = quality
  if (isGood(seen)) {
    const isNew = goodSince === 0 || worseAt !== 0
    return { goodSince: isNew ? seen.at : goodSince, goodAt: seen.at, worseAt: 0, toldAt: 0 }
  }
  if (goodAt - goodSince < LONG_ENOUGH) return UNKNOWN
  return { ...quality, worseAt: worseAt || seen.at, toldAt: now - toldAt < TOLD_EVERY ? toldAt : now }
}

/**
 * Notes how hosts fare.
 *
 * @param connections - to destinations that are known already
 * @returns hosts that are worse than they were, each at most once a day
 */
export async function noteQuality(
  database: Database,
  connections: readonly ConnectionEvent[],
  now: number,
): Promise<readonly Downgrade[]> {
  const judged = connections.filter((seen) => seen.host !== undefined && (isGood(seen) || isWorse(seen)))
  if (judged.length === 0) return []
  const domains = [...new Set(judged.map(({ domain }) => domain))]
  const known = await knownQualities(database, domains)
  const downgrades: Downgrade[] = []
  const changed: (string | number)[][] = []
  for (const [place, events] of Map.groupBy(judged, placeOf)) {
    const before = known.get(place) ?? UNKNOWN
    const inOrder = events.toSorted((a, b) => a.at - b.at)
    const after = inOrder.reduce((quality, seen) => qualityAfter(quality, seen, now), before)
    const last = inOrder.at(-1)
    if (last === undefined || isToldAlready(before, after)) continue
    const { goodSince, goodAt, worseAt, toldAt } = after
    changed.push([last.domain, last.host ?? '', goodSince, goodAt, worseAt, toldAt])
    if (toldAt === now)
      downgrades.push({ domain: last.domain, host: last.host ?? '', goodSince, goodAt, text: last.text })
  }
  await save(database, changed, domains)
  return downgrades
}

function placeOf({ domain, host }: ConnectionEvent): string {
  return `${domain} ${host}`
}

/** The same but for some minutes: not worth writing. */
function isToldAlready(before: Quality, after: Quality): boolean {
  const isSame =
    before.goodSince === after.goodSince && before.worseAt === after.worseAt && before.toldAt === after.toldAt
  return isSame && after.goodAt - before.goodAt < HOUR
}

async function knownQualities(database: Database, domains: readonly string[]): Promise<ReadonlyMap<string, Quality>> {
  const rows = await database.all(
    `SELECT domain, host, good_since, good_at, worse_at, told_at FROM monitor_good WHERE domain IN (${marks(domains.length)})`,
    domains,
  )
  return new Map(
    rows.map(({ domain, host, good_since, good_at, worse_at, told_at }) => [
      `${String(domain)} ${String(host)}`,
      {
        ...{ goodSince: Number(good_since), goodAt: Number(good_at) },
        ...{ worseAt: Number(worse_at), toldAt: Number(told_at) },
      },
    ]),
  )
}

/** As many hosts of a domain as there are in its list. */
async function save(
  database: Database,
  rows: readonly (readonly (string | number)[])[],
  domains: readonly string[],
): Promise<void> {
  await insertRows(
    database,
    'monitor_good (domain, host, good_since, good_at, worse_at, told_at)',
    rows,
    `ON CONFLICT (domain, host) DO UPDATE SET good_since = excluded.good_since, good_at = excluded.good_at,
       worse_at = excluded.worse_at, told_at = excluded.told_at`,
  )
  await database.run(
    `DELETE FROM monitor_good WHERE domain IN (${marks(domains.length)}) AND (good_since = 0 OR NOT EXISTS
       (SELECT 1 FROM monitor_host WHERE monitor_host.domain = monitor_good.domain AND monitor_host.host = monitor_good.host))`,
    domains,
  )
}
