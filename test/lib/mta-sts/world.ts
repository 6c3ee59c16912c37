import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Answer, Lookup } from '../../../dist/lib/dns/index.js'
import {
  createStsCache,
  createStsResolver,
  readStsPolicy,
  type Fetched,
  type FetchFailure,
  type StsCache,
  type StsPolicy,
  type StsResolver,
  type StsResolverOptions,
} from '../../../dist/lib/mta-sts/index.js'
import { createStore, type Log, type Store } from '../../../dist/lib/store/index.js'

export const DOMAIN = 'example.test'
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const UNREACHABLE: FetchFailure = { type: 'sts-policy-fetch-error', text: 'ECONNREFUSED' }

export function policyText(mode: string, maxAge = 604_800, mx = 'mx.example.test'): string {
  return `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${maxAge}\n`
}

export function policyOf(text: string): StsPolicy {
  const read = readStsPolicy(text)
  assert.ok(read.ok)
  return read.policy
}

/** A domain with its record and its policy host, a clock, a directory: all that a resolver sees. */
export interface World {
  /** the TXT records; a text: the lookup fails */
  records: readonly string[] | string
  /** what the resolver remembers of them; fresh lookups go past it */
  remembered: readonly string[] | undefined
  /** the policy file, or how its fetch fails */
  policy: string | FetchFailure
  /** how long a fetch takes: milliseconds */
  fetchTakes: number
  /** milliseconds since 1970; the monotonic clock is `clock` */
  now: number
  clock: number
  readonly lookups: string[]
  readonly fetches: string[]
  readonly log: string[]
  readonly reported: FetchFailure[]
  readonly directory: string
  readonly path: string
  /** both clocks */
  readonly pass: (milliseconds: number) => void
  readonly cache: () => StsCache
  /** another worker, or the same after a restart */
  readonly worker: (options?: Partial<StsResolverOptions>) => StsResolver
}

/** A cache with a store of its own, as another process would have it. */
export function cacheOn(store: Store): StsCache {
  return createStsCache({ store, end: () => store.end() })
}

/** The same in a SQLite file. */
export function openCache(
  path: string,
  log: Log = () => undefined,
  options: { readonly create?: boolean; readonly readOnly?: boolean } = {},
): StsCache {
  return cacheOn(createStore({ engine: 'sqlite', path, ...options }, log))
}

/** @param open - another engine than SQLite */
export function createWorld(t: TestContext, open: (world: World) => StsCache = openSqlite): World {
  const directory = mkdtempSync(join(tmpdir(), 'sts-'))
  const closers: (() => unknown)[] = []
  t.after(async () => {
    for (const close of closers) await close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 }) // a store may just be closing its file
  })
  const path = join(directory, 'outbound-tls.db')

  const world: World = {
    records: ['v=STSv1; id=1'],
    remembered: undefined,
    policy: policyText('enforce'),
    fetchTakes: 1,
    now: Date.parse('2026-06-01T00:00:00Z'),
    clock: 1_000_000,
    lookups: [],
    fetches: [],
    log: [],
    reported: [],
    directory,
    path,
    pass: (milliseconds) => {
      world.now += milliseconds
      world.clock += milliseconds
    },
    cache: () => {
      const cache = open(world)
      closers.push(() => cache.close())
      return cache
    },
    worker: (options = {}) => {
      const resolver = createStsResolver({
        lookup: lookupIn(world),
        fetch: (domain, signal) => fetchFrom(world, domain, signal),
        cache: world.cache(),
        log: (level, text) => world.log.push(`${level} ${text}`),
        refresh: DAY,
        timeout: 1000,
        onFetchFailure: (_, failure) => world.reported.push(failure),
        now: () => world.now,
        clock: () => world.clock,
        random: () => 0.5,
        ...options,
      })
      closers.push(() => resolver.close())
      return resolver
    },
  }
  return world
}

function openSqlite({ path, log }: World): StsCache {
  return openCache(path, (level, text) => log.push(`${level} ${text}`))
}

function lookupIn(world: World): Lookup {
  const lookup = (name: string, type: string, { fresh = false } = {}): Promise<Answer<'TXT'>> => {
    world.lookups.push(`${type} ${name}${fresh ? ' fresh' : ''}`)
    const records = fresh ? world.records : (world.remembered ?? world.records)
    if (typeof records === 'string') {
      return Promise.resolve({ status: 'failed', name, failure: { class: 'server-failure', text: records } })
    }
    const answered = { name, canonicalName: name, aliases: [], security: 'insecure', ttl: 1000 } as const
    if (records.length === 0) return Promise.resolve({ ...answered, status: 'absent', why: 'nxdomain' })
    return Promise.resolve({ ...answered, status: 'found', records })
  }
  return lookup as Lookup
}

async function fetchFrom(world: World, domain: string, signal: AbortSignal | undefined): Promise<Fetched> {
  world.fetches.push(domain)
  await new Promise((resolve) => {
    if (signal?.aborted === true) return resolve(undefined)
    const timer = setTimeout(resolve, world.fetchTakes)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
  if (signal?.aborted === true) return { ok: false, failure: { type: 'sts-policy-fetch-error', text: 'aborted' } }
  if (typeof world.policy !== 'string') return { ok: false, failure: world.policy }
  return { ok: true, policy: policyOf(world.policy) }
}
