/**
 * The connections of a process to PostgreSQL: few, made when they are needed, and thrown away when anything is wrong with them.
 *
 * @module
 */

import type { Client, ClientConfig, QueryResult } from 'pg'
import { errorText } from '../error-text'
import { StoreUnavailable, storable, type Row, type Value } from './database'
import type { PostgresServer } from './postgres-options'

/** Two: a long read, as for a page, does not stop what others write. */
const CONNECTIONS = 2
/** Milliseconds, for a server to be reached, and for one statement: some add up weeks. */
const CONNECT_LIMIT = 3000
export const STATEMENT_LIMIT = 30_000
/** After a failure to connect, how long none is tried: milliseconds. */
const PAUSE = 1000

export interface PooledConnection {
  readonly all: (sql: string, values?: readonly Value[]) => Promise<QueryResult<Row>>
  /** Several statements at once, without values. */
  readonly exec: (sql: string) => Promise<QueryResult>
  /** The server has ended it, or it must not be used again. */
  readonly drop: () => void
  readonly isDropped: () => boolean
}

export interface Pool {
  readonly use: <Result>(work: (connection: PooledConnection) => Promise<Result>) => Promise<Result>
  readonly close: () => void
}

export function createPool(servers: () => readonly PostgresServer[]): Pool {
  const slots = Array.from({ length: CONNECTIONS }, (): { connection?: PooledConnection | undefined } => ({}))
  const free = [...slots]
  const waiting: ((slot: (typeof slots)[number]) => void)[] = []
  let failure = { text: '', until: -Infinity }

  const connected = async (): Promise<PooledConnection> => {
    if (performance.now() < failure.until) throw new StoreUnavailable(failure.text)
    try {
      return await connectToAny(servers())
    } catch (error) {
      failure = { text: errorText(error), until: performance.now() + PAUSE }
      throw new StoreUnavailable(failure.text)
    }
  }

  return {
    use: async (work) => {
      const slot = free.pop() ?? (await new Promise<(typeof slots)[number]>((resolve) => waiting.push(resolve)))
      try {
        if (slot.connection?.isDropped() !== false) slot.connection = await connected()
        return await work(slot.connection)
      } finally {
        const next = waiting.shift()
        if (next === undefined) free.push(slot)
        else next(slot)
      }
    },
    close: () => {
      for (const { connection } of slots) connection?.drop()
    },
  }
}

/** A fail-over needs no proxy: of several servers, the one that can be written is the primary. */
async function connectToAny(servers: readonly PostgresServer[]): Promise<PooledConnection> {
  const failures: string[] = []
  for (const server of servers) {
    const where = servers.length > 1 ? `${server.host}:${server.port}: ` : ''
    try {
      const connection = await connect(server)
      if (servers.length === 1 || (await isWritable(connection))) return connection
      connection.drop()
      failures.push(`${where}it is read-only`)
    } catch (error) {
      failures.push(where + errorText(error))
    }
  }
  throw new StoreUnavailable(failures.join(', '))
}

async function isWritable({ all }: PooledConnection): Promise<boolean> {
  const { rows } = await all("SELECT current_setting('transaction_read_only') AS read_only")
  return rows[0]?.read_only === 'off'
}

async function connect(server: PostgresServer): Promise<PooledConnection> {
  const { Client: PostgresClient } = await loadClient()
  const config: ClientConfig = {
    ...{ ...server, connectionTimeoutMillis: CONNECT_LIMIT, keepAlive: true, application_name: 'outbound-tls' },
    types: { getTypeParser: (type: number) => parserOf(type) },
  }
  const client = new PostgresClient(config)
  let dropped = false
  const drop = (): void => {
    dropped = true
    // not client.end(): it waits for a server that may not answer
    ;(client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy()
  }
  client.on('error', drop)
  client.on('end', () => (dropped = true))
  try {
    await client.connect()
  } catch (error) {
    drop()
    throw error
  }
  return connectionOf(client, drop, () => dropped)
}

async function loadClient(): Promise<{ readonly Client: new (config: ClientConfig) => Client }> {
  try {
    return (await import('pg')).default
  } catch (error) {
    throw new StoreUnavailable(`engine = postgres needs the package pg (npm install pg): ${errorText(error)}`)
  }
}

function connectionOf(client: Client, drop: () => void, isDropped: () => boolean): PooledConnection {
  /** Where the network has gone, nothing else ends a statement for a quarter of an hour. */
  const within = async <Result>(statement: Promise<Result>): Promise<Result> => {
    const timer = setTimeout(drop, STATEMENT_LIMIT + 1000)
    try {
      return await statement
    } catch (error) {
      if (isDropped()) throw new StoreUnavailable(`the connection has ended: ${errorText(error)}`)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    all: (sql, values = []) => within(client.query<Row>(numbered(sql), values.map(storable))),
    exec: (sql) => within(client.query(sql)),
    drop,
    isDropped,
  }
}

/** `?` becomes `$1`, `$2`, …, but not in what is quoted, nor in comments. */
export function numbered(sql: string): string {
  let count = 0
  return sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g, (found) =>
    found === '?' ? `$${++count}` : found,
  )
}

/** PostgreSQL's numbers of types. Everything else is text. */
const [BOOL, BYTEA, INT8, INT2, INT4, FLOAT4, FLOAT8, NUMERIC] = [16, 17, 20, 21, 23, 700, 701, 1700]

function parserOf(type: number): (text: string) => Value {
  switch (type) {
    case BOOL:
      return (text) => Number(text === 't')
    case BYTEA:
      return (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))
    case INT2:
    case INT4:
    case INT8:
    case NUMERIC:
      return safeNumber
    case FLOAT4:
    case FLOAT8:
      return Number
    default:
      return (text) => text
  }
}

/** As SQLite: a number that a number cannot hold fails. */
function safeNumber(text: string): number {
  const number = Number(text)
  if (Math.abs(number) <= Number.MAX_SAFE_INTEGER) return number
  throw new RangeError(`${text} is too large to be read`)
}
