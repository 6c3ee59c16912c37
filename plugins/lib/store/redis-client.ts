/**
 * One connection to a Redis server: made within a time limit, looked at before it is used, and never mended. A new one takes its place.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { LATE, within } from './time-limit'

/** Where a server is, and who we are there. */
export interface RedisEndpoint {
  /** instead of host, port and what else it says */
  readonly url?: string
  /** a Unix socket, instead of host and port */
  readonly path?: string
  readonly host?: string
  readonly port?: number
  readonly tls?: boolean
  readonly username?: string
  readonly password?: string
  readonly database?: number
}

export type Word = string | number | Uint8Array
export type Reply = string | number | Buffer | null | readonly Reply[]

/** A Lua script, which Redis carries out as a whole and nothing beside it. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

/** A connection as work gets it. What fails rejects; {@link SharedRedis.run} makes a result of it. */
export interface RedisConnection {
  readonly send: (...words: readonly Word[]) => Promise<Reply>
  /** The reply's strings as bytes. */
  readonly sendForBytes: (...words: readonly Word[]) => Promise<Reply>
  /** Runs a script; its text goes over the wire only where the server does not know it. */
  readonly script: (script: Script, keys: readonly string[], words: readonly Word[]) => Promise<Reply>
}

export interface OpenConnection extends RedisConnection {
  /** why the server may lose what it was given, though nobody asked it to */
  readonly warning: string | undefined
  readonly destroy: () => void
}

/** Replies that are waited for at once: more only pile up where the server does not answer. */
const LONGEST_QUEUE = 10_000

/**
 * Loads the client, which few need, and which takes some tenths of a second: those who will need it, before mail would have to wait for it.
 * A client that is not there fails who connects.
 */
export function loadClient(): void {
  import('redis').catch(() => undefined)
}

/** Makes a script to be run with {@link RedisConnection.script}. */
export function defineScript(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

/**
 * Connects, and looks whether the server is one to work with.
 *
 * @param limit - milliseconds, for all of it
 * @param lost - called when the connection breaks later on
 * @throws what stands in the way; a server that hangs is as good as none
 */
export async function connectRedis(
  endpoint: RedisEndpoint,
  limit: number,
  lost: (error: unknown) => void,
): Promise<OpenConnection> {
  const { createClient, RESP_TYPES } = await import('redis')
  const client = createClient({ ...clientOptions(endpoint, limit), RESP: 2 })
  client.on('error', lost) // without a listener it would end the process
  const destroy = () => {
    if (client.isOpen) client.destroy()
  }
  const bytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const send = (...words: readonly Word[]) => client.sendCommand<Reply>(words.map(argument))
  const connection: RedisConnection = {
    send,
    sendForBytes: (...words) => client.sendCommand<Reply>(words.map(argument), bytes),
    script: (script, keys, words) => runScript(send, script, [keys.length, ...keys, ...words]),
  }

  try {
    const warning = await within(
      limit,
      client.connect().then(() => inspect(send)),
    )
    if (warning === LATE) throw new Error(`no answer within ${limit} ms`)
    return { ...connection, warning, destroy }
  } catch (error) {
    destroy()
    throw error
  }
}

function clientOptions({ url, username, password, database = 0, ...socket }: RedisEndpoint, limit: number) {
  const { path, host, port, tls = false } = socket
  return {
    ...(url !== undefined && { url }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== 0 && { database }),
    socket: {
      ...(path !== undefined ? { path } : { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }),
      ...(tls && { tls: true as const }),
      connectTimeout: limit,
      reconnectStrategy: false as const,
    },
    disableOfflineQueue: true,
    commandsQueueMaxLength: LONGEST_QUEUE,
    disableClientInfo: true,
  }
}

function argument(word: Word): string | Buffer {
  if (typeof word === 'string') return word
  return typeof word === 'number' ? String(word) : Buffer.from(word.buffer, word.byteOffset, word.byteLength)
}

async function runScript(
  send: RedisConnection['send'],
  { text, sha1 }: Script,
  words: readonly Word[],
): Promise<Reply> {
  try {
    return await send('EVALSHA', sha1, ...words)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return send('EVAL', text, ...words)
  }
}

/**
 * What the server says of itself. One that may not be asked is taken as it is.
 *
 * @throws where it cannot do what we need: each call would fail by itself otherwise
 */
async function inspect(send: RedisConnection['send']): Promise<string | undefined> {
  let info: Reply
  try {
    info = await send('INFO')
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return undefined
    throw error
  }
  const facts = new Map(
    String(info)
      .split('\r\n')
      .map((line) => line.split(':', 2) as [string, string]),
  )
  if (facts.get('cluster_enabled') === '1') throw new Error('a Redis Cluster, which is not supported')
  if (facts.get('loading') === '1') throw new Error('still loading its data')
  if (facts.get('role') === 'slave') throw new Error('a replica, which takes no writes')
  return evictionWarning(facts)
}

function evictionWarning(facts: ReadonlyMap<string, string>): string | undefined {
  const policy = facts.get('maxmemory_policy') ?? 'noeviction'
  if (policy === 'noeviction' || (facts.get('maxmemory') ?? '0') === '0') return undefined
  return (
    `it may evict what is kept here once its memory is full (maxmemory-policy ${policy}): ` +
    'outcomes and reports would be lost without a word. Set maxmemory-policy noeviction'
  )
}
