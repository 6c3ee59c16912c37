/**
 * Where a PostgreSQL server is, and how it is spoken to: as a URL says, or else libpq's variables.
 *
 * A client that writes the database can forge policies, and an eavesdropper learns the password: TLS with a certificate that is verified
 * is asked for wherever the server is not on this machine.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isIPv4 } from 'node:net'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { StoreUnavailable } from './database'
import { errorText } from '../error-text'

export interface PostgresOptions {
  /** `postgresql://user:password@host:port,host:port/database?sslmode=verify-full`; undefined: as libpq's variables say */
  readonly url?: string | undefined
  /** true: nothing is written, not even missing tables */
  readonly readOnly?: boolean
}

/** One server, as `pg` takes it. */
export interface PostgresServer {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  /** undefined: as the password file says */
  readonly password: string | undefined
  readonly database: string | undefined
  readonly ssl: ConnectionOptions | false
}

/** libpq's names for what a URL may say, each with its variable. */
const VARIABLES = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
} as const

type Parameter = keyof typeof VARIABLES
type Parameters = Partial<Record<Parameter, string | undefined>>
type Environment = Readonly<Record<string, string | undefined>>

/** @returns the servers, in the order in which they are tried. Where there are several, the one that can be written is used. */
export function postgresServers(url: string | undefined, environment: Environment): readonly PostgresServer[] {
  const given = url === undefined || url === '' ? {} : readUrl(url)
  const all: Parameters = {}
  for (const name of Object.keys(VARIABLES) as readonly Parameter[]) {
    const value = given[name] ?? environment[VARIABLES[name]]
    if (value !== '') all[name] = value
  }
  const hosts = (all.host ?? 'localhost').split(',')
  const ports = (all.port ?? '').split(',')
  return hosts.map((host, index) => ({
    host,
    port: portOf(ports.length === 1 ? ports[0] : ports[index]),
    user: all.user,
    password: all.password,
    database: all.dbname,
    ssl: tlsFor(host, all),
  }))
}

/** Why a server cannot be used as it is named, before anything is connected. Neither the URL nor a part that may be secret is in it. */
export function postgresProblem(url: string | undefined, environment: Environment): string | undefined {
  try {
    postgresServers(url, environment)
    createRequire(__filename).resolve('pg')
    return undefined
  } catch (error) {
    return isMissing(error) ? `engine = postgres needs the package pg (npm install pg)` : errorText(error)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
}

function portOf(text = ''): number {
  const port = text === '' ? 5432 : Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new StoreUnavailable('the port of the server is not a number from 1 to 65535')
}

/** Reads a URL of libpq, which may name several hosts. No error says what is in it. */
function readUrl(url: string): Parameters {
  const [, authority, name, query] = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? []
  if (authority === undefined) throw new StoreUnavailable('the url does not read postgresql://user@host/database')
  const at = authority.lastIndexOf('@')
  const [user, password] = splitOnce(authority.slice(0, Math.max(at, 0)), ':')
  const places = authority.slice(at + 1)
  const hosts = places.split(',').map((place) => {
    const found = /^(?:\[(.*)\]|([^:]*))(?::(\d*))?$/.exec(place)
    // as of a password with a / that is not written as %2F
    if (found === null) throw new StoreUnavailable('the url has a host or a port that cannot be read')
    return found
  })
  const read: Parameters = { user, password, dbname: name }
  if (places !== '') {
    read.host = hosts.map(([, address, host]) => address ?? host ?? '').join(',')
    read.port = hosts.map(([, , , port]) => port ?? '').join(',')
  }
  for (const each of query === undefined || query === '' ? [] : query.split('&')) {
    const [key, value] = splitOnce(each, '=')
    if (key === 'target_session_attrs' && value === 'read-write') continue // what is done with several hosts
    if (!(key in VARIABLES)) throw new StoreUnavailable(`the url has a parameter that is not known${named(key)}`)
    read[key as Parameter] = value ?? ''
  }
  return Object.fromEntries(Object.entries(read).flatMap(([key, value]) => (value ? [[key, decode(value)]] : [])))
}

/** A password with a ? that is not written as %3F may be read as a parameter. */
function named(key: string): string {
  return /^[a-z_]{1,40}$/.test(key) ? `: ${key}` : ''
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new StoreUnavailable('the url has a % that is followed by no two hexadecimal digits')
  }
}

/** `pg` by itself would use no TLS where libpq's variables say where the server is. */
function tlsFor(host: string, { sslmode, sslrootcert, sslcert, sslkey }: Parameters): ConnectionOptions | false {
  if (host.startsWith('/')) return false
  if (isLoopback(host) && (sslmode === undefined || ['disable', 'allow', 'prefer'].includes(sslmode))) return false
  if (!isLoopback(host) && sslmode !== undefined && sslmode !== 'verify-full')
    throw new StoreUnavailable(
      `sslmode = ${sslmode}: only verify-full is safe for a server that is not on this machine`,
    )
  return {
    // by name, or by address where that is all there is
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    ...(sslrootcert !== undefined && sslrootcert !== 'system' && { ca: readFileSync(sslrootcert) }),
    ...(sslcert !== undefined && { cert: readFileSync(sslcert) }),
    ...(sslkey !== undefined && { key: readFileSync(sslkey) }),
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
