/**
 * An instance with a policy cache, and the command: within the test's process, or as it is really called.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from '../../dist/cli/command.js'
import { run } from '../../dist/cli/main.js'
import { readStsPolicy, type CachedPolicy, type StsCache } from '../../dist/lib/mta-sts/index.js'
import { openCache } from '../lib/mta-sts/world.ts'

export const NOW = Date.parse('2026-06-01T12:00:00Z')
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export interface Instance {
  readonly folder: string
  readonly path: string
  /** as a worker has it open */
  readonly cache: StsCache
}

export function createInstance(t: TestContext, files: Readonly<Record<string, string>> = {}): Instance {
  const folder = mkdtempSync(join(tmpdir(), 'instance-'))
  mkdirSync(join(folder, 'config'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'config', name), text)
  const path = join(folder, 'outbound-tls.db')
  const cache = openCache(path)
  t.after(() => {
    cache.close()
    rmSync(folder, { recursive: true, maxRetries: 5 })
  })
  return { folder, path, cache }
}

/** A policy as a worker would save it. */
export function policy(domain: string, changes: Partial<CachedPolicy> = {}, lines = 'mode: enforce'): CachedPolicy {
  const read = readStsPolicy(`version: STSv1\n${lines}\nmx: mx1.${domain}\nmx: *.${domain}\nmax_age: 604800\n`)
  if (!read.ok) throw new Error(read.error.text)
  return {
    domain,
    id: '20260601T000000',
    policy: read.policy,
    fetchedAt: NOW - 2 * HOUR,
    usedAt: NOW - HOUR,
    refreshAt: NOW + 20 * HOUR,
    failures: 0,
    ...changes,
  }
}

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command in this process. Its clock goes on with every sleep, and `meanwhile` happens then. */
export async function command(
  args: readonly string[],
  options: Partial<Pick<World, 'cwd' | 'env' | 'paint'>> & { readonly meanwhile?: () => unknown } = {},
): Promise<Said> {
  const out: string[] = []
  const err: string[] = []
  let passed = 0
  const code = await run(args, {
    cwd: tmpdir(),
    env: {},
    paint: (_, text) => text,
    ...options,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
    progress: () => undefined,
    now: () => NOW,
    clock: () => passed,
    sleep: async (milliseconds) => {
      passed += milliseconds
      await options.meanwhile?.()
    },
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Runs the command in this process, as it is now: with the real clock, DNS and sockets. */
export async function commandNow(args: readonly string[], changes: Partial<World> = {}): Promise<Said> {
  const out: string[] = []
  const err: string[] = []
  const code = await run(args, {
    cwd: tmpdir(),
    env: {},
    paint: (_, text) => text,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
    progress: () => undefined,
    now: Date.now,
    clock: () => performance.now(),
    sleep,
    ...changes,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

export const program = join(import.meta.dirname, '../../dist/cli/index.js')

/** Runs the command as it is installed: a process of its own. */
export function realCommand(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, file = program }: { cwd?: string; env?: NodeJS.ProcessEnv; file?: string } = {},
): Promise<Said> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    env: { ...process.env, HARAKA: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}
