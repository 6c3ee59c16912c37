/**
 * The Haraka instance that the command is about: where it is, and what its configuration says. It is read with
 * haraka-config, as Haraka reads it, and judged as the plugin judges it.
 *
 * @module
 */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readSettings, type HarakaTlsInput, type Settings } from '../lib/settings'
import type { Call, Problem } from './command'
import { printable } from './text'

const PACKAGE_ROOT = join(__dirname, '..', '..')
const FILE = 'outbound-tls.ini'

export interface Instance {
  /** its absolute path */
  readonly folder: string
  readonly settings: Settings
}

/** Finds the instance of a call, and reads its settings. */
export async function openInstance({ configs, world }: Pick<Call, 'configs' | 'world'>): Promise<Instance | Problem> {
  const given = configs ?? world.env.HARAKA
  const folder = resolve(world.cwd, given ?? '.')
  if (existsSync(join(folder, 'config'))) return readInstance(folder)
  if (given === undefined)
    return { code: 2, problems: ['no Haraka instance here: say where it is, with -c DIR or HARAKA in the environment'] }
  return { code: 3, problems: [`${printable(folder)} is no Haraka instance: it has no directory config`] }
}

async function readInstance(folder: string): Promise<Instance | Problem> {
  const files = await readFiles(folder)
  const text = administratorsText(folder)
  if (text instanceof Error) return { code: 3, problems: [`${FILE} cannot be read: ${text.message}`] }
  const result = readSettings(files.ini, { text, haraka: files.haraka })
  if (!result.ok) return { code: 3, problems: result.errors.map((error) => printable(error.text)) }
  return { folder, settings: result.settings }
}

async function readFiles(folder: string): Promise<{ readonly ini: unknown; readonly haraka: HarakaTlsInput }> {
  const { log } = console
  console.log = console.error // where haraka-config says what it drops; standard output is for the answer
  try {
    const { default: reader } = await import('haraka-config')
    const once = { no_watch: true }
    const config = reader.module_config(PACKAGE_ROOT, folder)
    const outbound = config.get('outbound.ini', { ...once, booleans: ['+enable_tls', '-local_mx_ok'] }).main ?? {}
    const tls = config.get('tls.ini', { ...once, booleans: ['-redis.disable_for_failed_hosts', '-main.mutual_tls'] })
    return { ini: config.get(FILE, once), haraka: harakaSettings(outbound, tls) }
  } finally {
    console.log = log
  }
}

type Ini = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>

/** What the plugin takes from Haraka itself, where Haraka takes it from. */
function harakaSettings(outbound: Readonly<Record<string, unknown>>, tls: Ini): HarakaTlsInput {
  const family = outbound.inet_prefer
  const hosts = tls.outbound ?? {}
  return {
    enableTls: outbound.enable_tls === true,
    forceTlsHosts: (hosts.force_tls_hosts ?? []) as readonly string[], // whatever it is, readSettings takes it
    noTlsHosts: (hosts.no_tls_hosts ?? []) as readonly string[],
    disableForFailedHosts: tls.redis?.disable_for_failed_hosts === true,
    inetPrefer: family === 'v4' || family === 'v6' ? family : 'default',
    localMxOk: outbound.local_mx_ok === true,
    mutualTls: tls.main?.mutual_tls === true || Object.keys(tls.mutual_auth_hosts ?? {}).length > 0,
  }
}

/** What haraka-config drops, a malformed line or the whole file, is found in the file itself. */
function administratorsText(folder: string): string | Error {
  try {
    return readFileSync(join(folder, 'config', FILE), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '' // none: the defaults apply
    return error instanceof Error ? error : new Error(String(error))
  }
}
