/**
 * A PostgreSQL server of a test file's own, from the system's package: on a Unix socket and a loopback port, gone when the file is over.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface PostgresServer {
  /** of the socket; also where the data is */
  readonly folder: string
  readonly port: number
  readonly start: (...options: readonly string[]) => Promise<void>
  /** @param how - SIGINT: fast; SIGQUIT: as if it were killed */
  readonly stop: (how?: 'SIGINT' | 'SIGQUIT') => Promise<void>
  readonly process: () => ChildProcess
  /** @returns what psql says, without heads and alignment */
  readonly sql: (database: string, sql: string) => string
  readonly createDatabase: () => string
  readonly url: (database: string) => string
  /** Writes a file that only the server may read. @returns its path */
  readonly write: (name: string, content: string) => string
}

const USER = 'tester'
/** Debian's place for the programs of each version. */
const VERSIONS = '/usr/lib/postgresql'

/** Where initdb and postgres are; undefined: not installed. */
function programs(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(VERSIONS, version, 'bin')), ...(process.env.PATH ?? '').split(':')]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

/** Why there is none here. Where everything is to be tested, that is a failure. */
export const noPostgres: string | false =
  programs() === undefined && !process.env.CI ? 'PostgreSQL is not installed' : false

/** The server refuses to run as root. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const user = ['postgres', 'nobody'].flatMap((name) => users.filter((line) => line.startsWith(`${name}:`)))[0]
  const [, , uid, gid] = user?.split(':') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

let shared: Promise<PostgresServer> | undefined
let databases = 0

/** The server that the tests of this file share. */
export function postgresServer(): Promise<PostgresServer> {
  shared ??= startServer()
  return shared
}

/** A server of a test's own, to be stopped and started. It ends with the file at the latest. */
export function startServer(...options: readonly string[]): Promise<PostgresServer> {
  return startOn(['initdb', '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], options)
}

/** A streaming standby of a server, which `pg_promote()` makes a primary. */
export function startStandby({ folder, port }: PostgresServer): Promise<PostgresServer> {
  const from = ['-h', folder, '-p', String(port), '-U', USER]
  return startOn(['pg_basebackup', ...from, '-R', '-X', 'stream', '-c', 'fast', '-N'], ['synchronous_commit=on'])
}

/** @param make - the program that makes the data, and its parameters but for the folder */
async function startOn([make = '', ...how]: readonly string[], options: readonly string[]): Promise<PostgresServer> {
  const bin = programs()
  assert.ok(bin, 'PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const as = owner()
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  const settings = { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] }
  execFileSync(join(bin, make), ['-D', data, ...how], settings)
  const port = await freePort()
  let server: ChildProcess | undefined

  const start = async (...more: readonly string[]): Promise<void> => {
    const fast = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'shared_buffers=16MB']
    const all = ['max_connections=60', ...fast, ...options, ...more].flatMap((each) => ['-c', each])
    server = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-k', folder, '-h', '127.0.0.1', '-p', String(port), ...all],
      settings,
    )
    const said: string[] = []
    for await (const line of createInterface(server.stderr ?? assert.fail())) {
      said.push(line)
      if (line.includes('ready to accept')) break
    }
    assert.match(said.at(-1) ?? '', /ready to accept/, said.join('\n'))
    server.stderr?.resume()
    server.unref()
    ;(server.stderr as Socket).unref()
  }
  const stop = async (how: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> => {
    if (server?.exitCode !== null || server.signalCode !== null) return
    server.ref()
    server.kill(how)
    await once(server, 'exit')
  }
  const sql = (database: string, text: string): string =>
    execFileSync(
      join(bin, 'psql'),
      ['-XAtq', '-h', folder, '-p', String(port), '-U', USER, '-d', database, '-c', text],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    ).trim()

  // not after(): within a test it is that test's
  process.on('exit', () => {
    if (server?.exitCode === null && server.signalCode === null)
      execFileSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop'], settings)
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  return {
    ...{ folder, port, start, stop, sql },
    process: () => server ?? assert.fail(),
    createDatabase: () => {
      const name = `test_${++databases}`
      sql('postgres', `CREATE DATABASE ${name}`)
      return name
    },
    write: (name, content) => {
      const path = join(folder, name)
      writeFileSync(path, content, { mode: 0o600 })
      if (as.uid !== undefined && as.gid !== undefined) chownSync(path, as.uid, as.gid)
      return path
    },
    url: (database) => `postgresql://${USER}@127.0.0.1:${port}/${database}`,
  }
}

/** Stops or continues a server with all of its processes. */
export function signal(server: PostgresServer, name: NodeJS.Signals): void {
  const { pid } = server.process()
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  for (const each of [pid, ...children.split('\n').map(Number)]) if (each) send(each, name)
}

/** A process of the server may have ended since it was listed. */
function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
