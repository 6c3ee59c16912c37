/**
 * The Haraka instance that the command is about: where it is, and what its configuration says. It is read with
 * haraka-config, as Haraka reads it, and judged as the plugin judges it.
 *
 * @module
 */

import type Config from 'haraka-config'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { readSettings, type HarakaTlsInput, type ReportSettings, type Settings } from '../lib/settings'
import {
  administratorsText,
  MAIN_FILE,
  readMain,
  readReportIni,
  readTrustAnchors as readTrustAnchorsOf,
  REPORT_FILE,
  type FileRead,
} from '../runtime/config'
import type { StoreContext } from '../runtime/stores'
import type { Call, Problem } from './command'
import { printable } from './text'

const PACKAGE_ROOT = join(__dirname, '..', '..')

export interface Instance {
  /** its absolute path */
  readonly folder: string
  readonly settings: Settings
  readonly sending: Sending
}

/** How Haraka's core sends mail, as far as a session begins with it. */
export interface Sending {
  /** what it says in EHLO */
  readonly helo: string
  /** for connecting and for each reply, in milliseconds */
  readonly timeout: number
  /** no second attempt follows a first one that failed */
  readonly onlyAttempt: boolean
  /** of tls.ini */
  readonly ciphers: string | undefined
  /** as smtp.ini has it: an address of this machine that no interface has */
  readonly publicIp: string | undefined
}

/** Finds the instance of a call, and reads its settings. */
export async function openInstance(call: Pick<Call, 'configs' | 'world'>): Promise<Instance | Problem> {
  const instance = await findInstance(call)
  if (instance !== undefined) return instance
  return { code: 2, problems: ['no Haraka instance here: say where it is, with -c DIR or HARAKA in the environment'] }
}

/** The default settings, and what core does by default. */
export type Defaults = Omit<Instance, 'folder'> & { readonly folder: undefined }

/** The same, but where no instance is given and none is here, the defaults. */
export async function openInstanceOrDefaults(
  call: Pick<Call, 'configs' | 'world'>,
): Promise<Instance | Defaults | Problem> {
  const instance = await findInstance(call)
  if (instance !== undefined) return instance
  const result = readSettings({})
  if (!result.ok) throw new Error('the defaults are not accepted')
  return { folder: undefined, settings: result.settings, sending: sendingOf({}, {}, {}, '') }
}

/** Reads outbound-tls.report.ini of an instance, as the plugin report does. */
export async function readReportFile({ folder }: Instance): Promise<ReportSettings | Problem> {
  const ini = await withConfig(folder, (config) => config.get(REPORT_FILE, once))
  return settingsOrProblem(textOf(folder, REPORT_FILE, (text) => readReportIni(ini, text)))
}

/** Reads the PEM text of a `ca-file` of an instance. Throws where it cannot be read. */
export function readTrustAnchors(folder: string | undefined, file: string): string {
  return readTrustAnchorsOf(configOf(folder ?? '.'), file)
}

/** Undefined: none was given, and none is here. */
async function findInstance({
  configs,
  world,
}: Pick<Call, 'configs' | 'world'>): Promise<Instance | Problem | undefined> {
  const given = configs ?? world.env.HARAKA
  const folder = resolve(world.cwd, given ?? '.')
  if (existsSync(join(folder, 'config'))) return readInstance(folder)
  if (given === undefined) return undefined
  return { code: 3, problems: [`${printable(folder)} is no Haraka instance: it has no directory config`] }
}

async function readInstance(folder: string): Promise<Instance | Problem> {
  const files = await readFiles(folder)
  const read = textOf(folder, MAIN_FILE, (text) => readMain(configOf(folder), files.ini, text, files.haraka))
  const settings = settingsOrProblem(read)
  return 'problems' in settings ? settings : { folder, settings, sending: files.sending }
}

function textOf<Values>(folder: string, file: string, read: (text: string) => FileRead<Values>): FileRead<Values> {
  const text = administratorsText(configOf(folder), file)
  return typeof text === 'string' ? read(text) : { ok: false, errors: text.errors }
}

function settingsOrProblem<Values>(read: FileRead<Values>): Values | Problem {
  return read.ok ? read.settings : { code: 3, problems: read.errors.map(printable) }
}

function configOf(folder: string): { readonly root_path: string } {
  return { root_path: join(folder, 'config') }
}

interface Files {
  readonly ini: unknown
  readonly haraka: HarakaTlsInput
  readonly sending: Sending
}

const once = { no_watch: true }

function readFiles(folder: string): Promise<Files> {
  return withConfig(folder, (config) => {
    const outbound = config.get('outbound.ini', { ...once, booleans: ['+enable_tls', '-local_mx_ok'] }).main ?? {}
    const tls = config.get('tls.ini', { ...once, booleans: ['-redis.disable_for_failed_hosts', '-main.mutual_tls'] })
    const smtp = config.get('smtp.ini', once).main ?? {}
    const me: unknown = config.get('me', once)
    const legacy = {
      temp_fail_intervals: config.get('outbound.temp_fail_intervals', once) as unknown,
      maxTempFailures: config.get('outbound.maxTempFailures', once) as unknown,
    }
    return {
      ini: config.get(MAIN_FILE, once),
      haraka: harakaSettings(outbound, tls),
      sending: sendingOf({ ...legacy, ...outbound }, tls, smtp, me),
    }
  })
}

async function withConfig<Result>(folder: string, read: (config: typeof Config) => Result): Promise<Result> {
  const { log } = console
  console.log = console.error // where haraka-config says what it drops; standard output is for the answer
  try {
    const { default: reader } = await import('haraka-config')
    return read(reader.module_config(PACKAGE_ROOT, folder))
  } finally {
    console.log = log
  }
}

/** Where the command finds what workers keep. */
export function instanceStoreContext({ folder }: Instance): StoreContext {
  return { instance: folder, log: () => undefined, create: false }
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

/** As core reads it, with its defaults. */
function sendingOf(
  outbound: Readonly<Record<string, unknown>>,
  tls: Ini,
  smtp: Readonly<Record<string, unknown>>,
  me: unknown,
): Sending {
  const intervals = typeof outbound.temp_fail_intervals === 'string' ? outbound.temp_fail_intervals.trim() : ''
  const seconds = Number(outbound.connect_timeout)
  const ciphers = tls.outbound?.ciphers ?? tls.main?.ciphers
  return {
    helo: typeof me === 'string' && me !== '' ? me : hostname(),
    timeout: 1000 * (seconds > 0 ? seconds : 30),
    onlyAttempt: intervals === '' ? Number(outbound.maxTempFailures) === 1 : intervals.toLowerCase() === 'none',
    ciphers: typeof ciphers === 'string' && ciphers !== '' ? ciphers : undefined,
    publicIp: typeof smtp.public_ip === 'string' ? smtp.public_ip : undefined,
  }
}
