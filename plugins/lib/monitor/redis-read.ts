/**
 * Reading what `redis-scripts.ts` has written. It was written by this program, and is taken for it.
 *
 * @module
 */

import type { RedisConnection, Reply } from '../store'
import {
  FAILING_RANK,
  OVERDUE,
  stateOf,
  type DestinationDetails,
  type DestinationEntry,
  type DestinationPage,
  type DestinationQuery,
  type LastSeen,
  type Level,
  type LevelCount,
  type ResolverState,
  type WaitingDomain,
  type WaitingMessage,
} from './facts'
import type { Amount } from './meters'
import { SCAN } from './redis-scripts'
import type { Census, Span, Waiting } from './store'

const DAY = 86_400_000
/** Names that the server looks at in one go. */
const PIECE = 1000

export async function amounts({ send }: RedisConnection, prefix: string, machine: string): Promise<readonly Amount[]> {
  return pairs(await send('HGETALL', `${prefix}amounts:${machine}`)).map(([name, value]) => {
    const space = name.indexOf(' ')
    return { meter: name.slice(0, space), labels: name.slice(space + 1), value: Number(value) }
  })
}

export async function levels(
  { send }: RedisConnection,
  prefix: string,
  { from, to }: Span,
): Promise<readonly LevelCount[]> {
  const last = Number.isFinite(to) ? Math.floor(to / DAY) : '+inf'
  const days = texts(await send('ZRANGEBYSCORE', `${prefix}days`, Math.floor(from / DAY), last))
  const replies = await Promise.all(days.map((day) => send('HGETALL', `${prefix}levels:${day}`)))
  return replies
    .flatMap(pairs)
    .map(([kind, count]) => {
      const [hour, level, version = ''] = kind.split('|')
      const tlsVersion = version === '' ? undefined : version
      return { hour: Number(hour), level: level as Level, tlsVersion, count: Number(count) }
    })
    .filter(({ hour }) => hour >= from && hour < to)
    .sort((a, b) => a.hour - b.hour)
}

export async function waiting(
  connection: RedisConnection,
  prefix: string,
  now: number,
  limit: number,
): Promise<Waiting> {
  const { send } = connection
  const current = now - OVERDUE
  const messages = Number(await send('ZCOUNT', `${prefix}waiting:by-next`, current, '+inf'))
  const names = limit === 0 ? [] : texts(await send('ZREVRANGE', `${prefix}waiting:domains`, 0, limit - 1))
  const found = await Promise.all(names.map((domain) => waitingDomain(connection, prefix, domain, current)))
  const domains = found.filter((each) => each !== undefined)
  return { messages, domains: domains.sort((a, b) => b.messages - a.messages || a.since - b.since) }
}

/** Of a domain with very many messages those that wait longest tell its times. Undefined: none of them waits any more. */
async function waitingDomain(
  { send }: RedisConnection,
  prefix: string,
  domain: string,
  current: number,
): Promise<WaitingDomain | undefined> {
  const ids = texts(await send('ZRANGE', `${prefix}waiting:of:${domain}`, 0, PIECE - 1))
  if (ids.length === 0) return undefined
  const places = await send('HMGET', `${prefix}waiting`, ...ids)
  const all = ids
    .map((id, index) => {
      const [since, nextAt, at] = textAt(places, index).split(' ', 3).map(Number)
      return { id, since: since ?? 0, nextAt: nextAt ?? 0, at: at ?? 0 }
    })
    .filter(({ nextAt }) => nextAt >= current)
  const [first] = all
  if (first === undefined) return undefined
  const last = all.reduce((latest, one) => (one.at >= latest.at ? one : latest))
  const words = readWords(await send('HGET', `${prefix}waiting:words`, last.id))
  const nextAt = Math.min(...all.map((one) => one.nextAt))
  const count = ids.length < PIECE ? all.length : Number(await send('ZCARD', `${prefix}waiting:of:${domain}`))
  return { domain, messages: count, since: first.since, nextAt, ...words }
}

export async function waitingFor(
  { send }: RedisConnection,
  prefix: string,
  domain: string,
  now: number,
  limit: number,
): Promise<readonly WaitingMessage[]> {
  const found: WaitingMessage[] = []
  for (let at = 0; found.length < limit; at += PIECE) {
    const ids = texts(await send('ZRANGE', `${prefix}waiting:of:${domain}`, at, at + PIECE - 1))
    if (ids.length === 0) break
    const [places, words] = await Promise.all([
      send('HMGET', `${prefix}waiting`, ...ids),
      send('HMGET', `${prefix}waiting:words`, ...ids),
    ])
    for (const [index, id] of ids.entries()) {
      const [, since, next] = /^(\d+) (\d+) /.exec(textAt(places, index)) ?? []
      if (since === undefined || Number(next) < now - OVERDUE) continue
      found.push({ id, domain, since: Number(since), nextAt: Number(next), ...readWords(textAt(words, index)) })
    }
  }
  return found.slice(0, limit)
}

function readWords(reply: Reply): Pick<WaitingMessage, 'status' | 'reasons' | 'text'> {
  if (typeof reply !== 'string' || reply === '') return { status: '', reasons: [], text: '' } // gone meanwhile
  const [status, reasons, text] = JSON.parse(reply) as [string, string[], string]
  return { status, reasons, text }
}

export async function census({ send }: RedisConnection, prefix: string): Promise<Census> {
  const key = `${prefix}destinations`
  const [destinations, failing] = await Promise.all([
    send('ZCARD', key),
    send('ZCOUNT', key, `(${FAILING_RANK}`, '+inf'),
  ])
  return { destinations: Number(destinations), failing: Number(failing) }
}

interface Place {
  readonly rank: number
  readonly domain: string
}

export async function destinations(
  connection: RedisConnection,
  prefix: string,
  { search, after, limit }: DestinationQuery,
): Promise<DestinationPage> {
  const found: Place[] = []
  const size = search === '' ? limit + 1 : PIECE
  let [rank, passed]: [string, string] = [after === undefined ? '+inf' : String(after.rank), '0']
  for (let looked = size; looked === size && found.length <= limit;) {
    const reply = await connection.script(SCAN, [`${prefix}destinations`], [rank, passed, size, search])
    const [count = '0', nextRank = rank, nextPassed = '0', ...names] = texts(reply)
    for (const [domain = '', ofDomain] of chunks(names, 2)) {
      const place = { rank: Number(ofDomain), domain }
      if (isBehind(place, after)) found.push(place)
    }
    ;[looked, rank, passed] = [Number(count), nextRank, nextPassed]
  }
  const shown = found.slice(0, limit)
  const entries = await Promise.all(shown.map(({ domain }) => entryOf(connection, prefix, domain)))
  return { entries, next: found.length > limit ? shown.at(-1) : undefined }
}

function isBehind({ rank, domain }: Place, after: Place | undefined): boolean {
  return after === undefined || rank < after.rank || (rank === after.rank && domain < after.domain)
}

async function entryOf(connection: RedisConnection, prefix: string, domain: string): Promise<DestinationEntry> {
  return entryFrom(domain, await hostsOf(connection, prefix, domain))
}

function entryFrom(domain: string, hosts: readonly LastSeen[]): DestinationEntry {
  const refused = hosts.find(({ level }) => level === 'refused')
  const delivered = hosts.find(({ level }) => level !== 'refused')
  return { domain, state: stateOf(refused?.at, delivered?.at), refused, delivered }
}

export async function destination(
  connection: RedisConnection,
  prefix: string,
  domain: string,
): Promise<DestinationDetails | undefined> {
  const hosts = await hostsOf(connection, prefix, domain)
  return hosts.length === 0 ? undefined : { ...entryFrom(domain, hosts), hosts }
}

/** The latest first. */
async function hostsOf({ send }: RedisConnection, prefix: string, domain: string): Promise<readonly LastSeen[]> {
  return pairs(await send('HGETALL', `${prefix}destination:${domain}`))
    .filter(([place]) => place.charAt(1) === '|')
    .map(([place, value]) => {
      const space = value.indexOf(' ')
      const [level, version, reason, text] = JSON.parse(value.slice(space + 1)) as [
        Level,
        string | null,
        string,
        string,
      ]
      const host = place.length === 2 ? undefined : place.slice(2)
      return { at: Number(value.slice(0, space)), host, level, tlsVersion: version ?? undefined, reason, text }
    })
    .sort((a, b) => b.at - a.at)
}

export async function resolvers({ send }: RedisConnection, prefix: string): Promise<readonly ResolverState[]> {
  return pairs(await send('HGETALL', `${prefix}resolvers`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, state]) => JSON.parse(state) as ResolverState)
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}

function textAt(reply: Reply, index: number): string {
  const value: unknown = Array.isArray(reply) ? reply[index] : undefined
  return typeof value === 'string' ? value : ''
}

/** What Redis tells as name, value, name, value. */
function pairs(reply: Reply): [string, string][] {
  return chunks(texts(reply), 2).map(([name = '', value = '']) => [name, value])
}

function chunks(flat: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(flat.length / size) }, (_, index) =>
    flat.slice(index * size, (index + 1) * size),
  )
}
