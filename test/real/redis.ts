/**
 * A Redis server of a test's own: on loopback, with its files in a temporary folder.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from 'redis'
import { openRedis, type RedisEndpoint, type Reply, type SharedRedis } from '../../dist/lib/store/index.js'
import { freePort } from '../internet/index.ts'
import { startServer, type ServerProcess } from './process.ts'
import { needTool } from './tools.ts'

export type RedisOptions = Readonly<Record<string, string>>

export interface RedisServer {
  readonly port: number
  readonly endpoint: RedisEndpoint
  /** hangs, as one does on a machine that swaps: connections are taken, and nothing is answered */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly kill: () => Promise<void>
  /** again, after it was killed, on the same port and with what it had written down */
  readonly start: (options?: RedisOptions) => Promise<void>
  readonly stop: () => Promise<void>
  /** what an administrator says to it */
  readonly send: (...words: string[]) => Promise<Reply>
  /** another client of it */
  readonly open: (options?: {
    readonly log?: string[]
    readonly limit?: number
    readonly clock?: () => number
    /** 0 unless it says otherwise; a server begins with 16 of them */
    readonly database?: number
  }) => SharedRedis
}

/** Starts a server that is stopped when a test is over. */
export async function startRedisFor(t: TestContext, options: RedisOptions = {}): Promise<RedisServer> {
  const redis = await startRedis(options)
  t.after(redis.stop)
  return redis
}

/** Starts a server, which must be stopped. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let server = await launch(folder, port, options)
  const clients: SharedRedis[] = []
  const stop = async (): Promise<void> => {
    for (const client of clients) client.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  }

  const endpoint = { host: '127.0.0.1', port }
  const open: RedisServer['open'] = ({ log = [], database = 0, ...rest } = {}) => {
    const client = openRedis({
      endpoint: () => Promise.resolve({ ...endpoint, database }),
      purpose: 'tests',
      log: (level, text) => log.push(`${level} ${text}`),
      limit: 10_000, // other tests may keep the machine busy
      ...rest,
    })
    clients.push(client)
    return client
  }
  return {
    ...{ port, endpoint, open, stop },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    kill: () => server.signal('SIGKILL'),
    start: async (others = {}) => {
      await server.stop()
      server = await launch(folder, port, { ...options, ...others })
    },
    send: (...words) => send(port, words),
  }
}

/** Past our own client, which has its own mind about servers that are not well. */
async function send(port: number, words: readonly string[]): Promise<Reply> {
  const client = createClient({ socket: { port, reconnectStrategy: false }, RESP: 2 })
  client.on('error', () => undefined) // whoever waits is told
  await client.connect()
  try {
    return await client.sendCommand<Reply>(words)
  } finally {
    if (client.isOpen) client.destroy()
  }
}

function launch(folder: string, port: number, options: RedisOptions): Promise<ServerProcess> {
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', ...options }
  const parameters = Object.entries(all).flatMap(([key, value]) => [`--${key}`, value])
  return startServer(needTool('redis-server'), parameters, /Ready to accept connections/)
}
