/**
 * A Redis server that is usable for as long as a process lives, whatever becomes of it: connected when it is first needed, given up at
 * once when it does not answer in time, and tried again from time to time. What cannot be done is a result, for no delivery may fail
 * by it, and none may wait for it: while a server is away nobody waits.
 *
 * Redis 6 and later, a single server or one with replicas. Redis Cluster is not supported: a script works on keys that a cluster would
 * keep on several machines.
 *
 * @module
 */

import { connectRedis, loadClient, type OpenConnection, type RedisConnection, type RedisEndpoint } from './redis-client'
import type { Done, Log } from './shared'
import { LATE, within } from './time-limit'

/** All that this program keeps in Redis is under names that begin so. */
export const KEY_PREFIX = 'outbound-tls:'

export interface RedisOptions {
  /** where it is; asked for when it is first needed */
  readonly endpoint: () => Promise<RedisEndpoint>
  /** what it is needed for, in log lines */
  readonly purpose: string
  readonly log: Log
  /** how long a connection, or a piece of work, may take: milliseconds; 2 s unless tests say otherwise */
  readonly limit?: number
  /** monotonic, milliseconds */
  readonly clock?: () => number
}

export interface SharedRedis {
  /**
   * Does some work. Where it fails nobody knows how much of it was done, so it must be fit to be done again.
   *
   * @param limit - milliseconds; for work that is no delivery's business and may take longer
   */
  readonly run: <Result>(work: (redis: RedisConnection) => Promise<Result>, limit?: number) => Promise<Done<Result>>
  readonly close: () => void
}

/** Makes a shared server. Nothing is connected before it is needed. */
export function openRedis(options: RedisOptions): SharedRedis {
  loadClient()
  const state: State = { options, name: 'Redis', failures: 0, closed: false, retryAt: -Infinity, failure: '' }
  return {
    run: (work, limit) => run(state, work, limit ?? limitOf(state)),
    close: () => {
      state.closed = true
      clearTimeout(state.retry)
      drop(state)
    },
  }
}

interface State {
  readonly options: RedisOptions
  /** in log lines and results */
  name: string
  /** never to be shown */
  secret?: string | undefined
  current?: OpenConnection | undefined
  connecting?: Promise<Done<OpenConnection>> | undefined
  closed: boolean
  /** attempts in a row that came to nothing */
  failures: number
  failure: string
  retryAt: number
  /** until it is tried again, though nobody needs it */
  retry?: NodeJS.Timeout
  loggedAt?: number
  warnedAt?: number
}

const LIMIT = 2000
/** After a failure, how long the server is left alone: milliseconds. Twice as long each time. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 10_000
/** What a timer may be early by: milliseconds. */
const EARLY = 10
/** How often failures, and warnings, are logged: milliseconds. */
const LOG_PAUSE = 60_000
const WARN_PAUSE = 3_600_000

/** Replies of a server that cannot do anything now. Another one may have taken its place: the next connection may find that. */
const OUT_OF_SERVICE = /^(READONLY|LOADING|MASTERDOWN|NOAUTH|BUSY|MOVED|CLUSTERDOWN)\b/

async function run<Result>(
  state: State,
  work: (redis: RedisConnection) => Promise<Result>,
  limit: number,
): Promise<Done<Result>> {
  const opened = await use(state)
  if (!opened.ok) return opened
  const connection = opened.value
  try {
    const value = await within(limit, work(connection))
    if (value !== LATE) return { ok: true, value }
    return giveUp(state, connection, `no answer within ${limit} ms`)
  } catch (error) {
    const text = textOf(error)
    if (OUT_OF_SERVICE.test(text)) return giveUp(state, connection, text)
    return fail(state, text)
  }
}

/** The connection; made, or made again, where that is needed. */
function use(state: State): Promise<Done<OpenConnection>> {
  if (state.closed) return Promise.resolve({ ok: false, text: 'closed' })
  if (state.current) return Promise.resolve({ ok: true, value: state.current })
  if (state.connecting === undefined && now(state) >= state.retryAt) {
    state.connecting = connect(state).finally(() => (state.connecting = undefined))
  }
  // for one that was away when it was last tried nobody waits
  if (state.connecting === undefined || state.failures > 0)
    return Promise.resolve({ ok: false, text: nameText(state, state.failure) })
  return state.connecting
}

async function connect(state: State): Promise<Done<OpenConnection>> {
  const { endpoint, log } = state.options
  let connection: OpenConnection | undefined
  try {
    const where = await endpoint()
    state.name = describe(where)
    state.secret = where.password ?? passwordIn(where.url)
    connection = await connectRedis(where, limitOf(state), (error) => lose(state, connection, error))
    return welcome(state, connection, log)
  } catch (error) {
    return postpone(state, textOf(error))
  }
}

function welcome(state: State, connection: OpenConnection, log: Log): Done<OpenConnection> {
  if (state.closed) {
    connection.destroy()
    return { ok: false, text: 'closed' }
  }
  if (state.loggedAt !== undefined) log('notice', nameText(state, 'connected again'))
  const { warning } = connection
  if (warning !== undefined && now(state) - (state.warnedAt ?? -Infinity) >= WARN_PAUSE) {
    state.warnedAt = now(state)
    log('warn', nameText(state, warning))
  }
  delete state.loggedAt
  state.failures = 0
  state.current = connection
  return { ok: true, value: connection }
}

/** The connection broke: whoever waits for an answer is told by it, the next one connects again. */
function lose(state: State, connection: OpenConnection | undefined, error: unknown): void {
  if (connection === undefined || state.current !== connection) return
  state.failure = textOf(error)
  drop(state)
}

/** A server that hangs, or refuses all work, is left alone for a while. */
function giveUp(state: State, connection: OpenConnection, text: string): Failed {
  if (state.current !== connection) return fail(state, text) // somebody else has seen it, or it is replaced already
  drop(state)
  return postpone(state, text)
}

function postpone(state: State, text: string): Failed {
  const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(state.failures, 10), LONGEST_PAUSE)
  state.failures++
  state.failure = text
  const wait = pause * (0.5 + Math.random() / 2)
  state.retryAt = now(state) + wait
  clearTimeout(state.retry)
  // whoever needs it next, maybe in hours, shall find it there
  if (!state.closed) state.retry = setTimeout(() => void use(state), Math.ceil(wait) + EARLY).unref()
  return fail(state, text)
}

interface Failed {
  readonly ok: false
  readonly text: string
}

function fail(state: State, text: string): Failed {
  const failed: Failed = { ok: false, text: nameText(state, text) }
  if (state.closed || now(state) - (state.loggedAt ?? -Infinity) < LOG_PAUSE) return failed
  state.loggedAt = now(state)
  state.options.log('crit', failed.text)
  return failed
}

function drop(state: State): void {
  const { current } = state
  state.current = undefined
  current?.destroy()
}

function nameText({ name, secret, options }: State, text: string): string {
  // a server that does not know a command repeats its arguments
  const safe = secret === undefined || secret === '' ? text : text.replaceAll(secret, '…')
  return `${name} (${options.purpose}): ${safe}`
}

/** Without user and password. */
function describe({ url, path, host = '127.0.0.1', port = 6379, database = 0 }: RedisEndpoint): string {
  if (url !== undefined) return 'Redis'
  const where = path ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
  return `Redis ${where}${database === 0 ? '' : `/${database}`}`
}

function passwordIn(url: string | undefined): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : decodeURIComponent(new URL(url).password)
}

/** A failed attempt at several addresses has no words of its own. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return textOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

function limitOf({ options }: State): number {
  return options.limit ?? LIMIT
}

function now({ options }: State): number {
  return options.clock?.() ?? performance.now()
}
