/**
 * The ini files of this package. Each is read and watched once in a process, for all plugins that need it. What cannot be read never
 * takes effect: the last good settings stay in force.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  configurationError,
  filesNeeded,
  readAnalysisSettings,
  readReportSettings,
  readSettings,
  readStatusSettings,
  trustAnchorsIn,
  type AnalysisSettings,
  type ConfigurationError,
  type HarakaTlsInput,
  type ReportSettings,
  type Settings,
  type StatusSettings,
} from '../lib/settings'
import { postgresProblem } from '../lib/store'
import { errorText } from '../lib/error-text'
import { changesIn } from './config-changes'
import { harakaTlsOf } from './core-settings'
import type { Config, Plugin } from './haraka'

export const MAIN_FILE = 'outbound-tls.ini'
export const REPORT_FILE = 'outbound-tls.report.ini'
export const ANALYSIS_FILE = 'outbound-tls.analysis.ini'
export const STATUS_FILE = 'outbound-tls.status.ini'

/** Settings, or what is wrong with a file, one line each. */
export type FileRead<Values> =
  | { readonly ok: true; readonly settings: Values; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] }

/** One of the files, and how it is read. */
export interface ConfigFile<Values> {
  readonly name: string
  readonly read: (ini: unknown, text: string, plugin: Plugin) => FileRead<Values>
}

export const mainFile: ConfigFile<Settings> = {
  name: MAIN_FILE,
  read: (ini, text, plugin) => readMain(plugin.config, ini, text, harakaTlsOf(plugin)),
}
export const reportFile: ConfigFile<ReportSettings> = { name: REPORT_FILE, read: readReportIni }
export const analysisFile: ConfigFile<AnalysisSettings> = {
  name: ANALYSIS_FILE,
  read: (ini, text) => worded(readAnalysisSettings(ini, text)),
}
export const statusFile: ConfigFile<StatusSettings> = {
  name: STATUS_FILE,
  read: (ini, text) => {
    const result = readStatusSettings(ini, text)
    return worded(result.ok ? { ...result, warnings: [] } : result)
  },
}

/** outbound-tls.report.ini. */
export function readReportIni(ini: unknown, text: string): FileRead<ReportSettings> {
  return worded(readReportSettings(ini, text))
}

/**
 * outbound-tls.ini, and whether the files that it names can be read and the store be used as it is named.
 *
 * @param haraka - what Haraka's own files say; by default what they say when they are empty
 */
export function readMain(config: Folder, ini: unknown, text: string, haraka?: HarakaTlsInput): FileRead<Settings> {
  const result = readSettings(ini, { text, ...(haraka && { haraka }) })
  if (!result.ok) return worded(result)
  const problems = [...unreadableFiles(config, result.settings), ...storeProblems(result.settings)]
  return problems.length > 0 ? { ok: false, errors: problems } : result
}

function worded<Values>(
  result:
    | { readonly ok: true; readonly settings: Values; readonly warnings: readonly string[] }
    | { readonly ok: false; readonly errors: readonly ConfigurationError[] },
): FileRead<Values> {
  return result.ok ? result : { ok: false, errors: result.errors.map(({ text }) => text) }
}

/** A file as it is followed. */
export interface Followed<Values> {
  /** in force; undefined: the file never could be read */
  readonly settings: Values | undefined
  /** what is wrong with the file as it is now */
  readonly errors: readonly string[]
  /** Reads it once more, since something else that it depends on has changed. */
  readonly reread: () => void
}

interface Watched extends Followed<unknown> {
  readonly listeners: Set<() => void>
}

/** By their paths. */
const watched = new Map<string, Watched>()

/**
 * Reads a file, the administrator's over ours, and follows its changes.
 *
 * @param changed - called when other settings are in force, some seconds after the file was written
 */
export function follow<Values>(plugin: Plugin, file: ConfigFile<Values>, changed: () => void): Followed<Values> {
  const path = join(configDirectory(plugin.config), file.name)
  const found = watched.get(path) ?? watch(plugin, file)
  watched.set(path, found)
  found.listeners.add(changed)
  return found as Followed<Values>
}

function watch<Values>(plugin: Plugin, file: ConfigFile<Values>): Watched {
  const listeners = new Set<() => void>()
  const state = { settings: undefined as Values | undefined, errors: [] as readonly string[], listeners, reread }
  let inForce: unknown
  const read = (ini: unknown): FileRead<Values> => {
    const text = administratorsText(plugin.config, file.name)
    return typeof text === 'string' ? file.read(ini, text, plugin) : { ok: false, errors: text.errors }
  }
  function reread(): void {
    const ini = plugin.config.get(file.name, 'ini', reread)
    const result = read(ini)
    log(plugin, file.name, result, state)
    state.errors = result.ok ? [] : result.errors
    if (!result.ok) return
    const changes = state.settings === undefined ? [] : changesIn(inForce, ini)
    if (changes.length > 0) plugin.loginfo(`${file.name}: new settings in force: ${changes.join('; ')}`)
    inForce = ini
    state.settings = result.settings
    for (const listener of listeners) listener()
  }
  reread()
  return state
}

/** Says what reading a file has come to, and when what was wrong has been mended. */
function log(plugin: Plugin, file: string, read: FileRead<unknown>, before: Followed<unknown>): void {
  for (const error of read.ok ? [] : read.errors) plugin.logcrit(error)
  if (!read.ok && before.settings !== undefined) plugin.logcrit(`${file}: the last good settings stay in force`)
  if (read.ok && before.errors.length > 0)
    plugin.lognotice(`${file}: nothing is wrong any more, the new settings are in force`)
  for (const warning of read.ok ? read.warnings : []) plugin.logwarn(warning)
}

/** Where configuration files are. */
export type Folder = Pick<Config, 'overrides_path' | 'root_path'>

/**
 * The file as the administrator has written it. What haraka-config drops without a word, a malformed line or the whole file, is found
 * in there.
 */
export function administratorsText(config: Folder, file: string): string | { readonly errors: readonly string[] } {
  try {
    return readFileSync(join(configDirectory(config), file), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '' // none: the defaults apply
    return { errors: [`${file} cannot be read: ${errorText(error)}`] }
  }
}

/** Where the administrator's files are. */
export function configDirectory(config: Folder): string {
  return config.overrides_path ?? config.root_path
}

/** The Haraka instance, which holds config/ and the store. */
export function instanceDirectory(config: Folder): string {
  return dirname(configDirectory(config))
}

/** Reads the PEM text of a `ca-file`, relative to the config directory. Throws where it cannot be read. */
export function readTrustAnchors(config: Folder, file: string): string {
  return trustAnchorsIn(readFileSync(resolve(configDirectory(config), file), 'utf8'), file)
}

/** The files that the settings name and that cannot be read, as configuration errors. */
function unreadableFiles(config: Folder, settings: Settings): readonly string[] {
  return filesNeeded(settings).flatMap(({ section, key, path }) => {
    try {
      readTrustAnchors(config, path)
      return []
    } catch (error) {
      const accepted = 'a file of PEM certificates that Haraka may read, relative to the config directory'
      const why = errorText(error)
      return [configurationError({ file: MAIN_FILE, section }, key, path, `${accepted} (${why})`).text]
    }
  })
}

/** Why PostgreSQL cannot be used as the settings, or libpq's variables, say. */
function storeProblems({ store: { engine, url } }: Settings): readonly string[] {
  const problem = engine === 'postgres' ? postgresProblem(url, process.env) : undefined
  if (problem === undefined) return []
  const [key, value] = url === undefined ? ['engine', engine] : ['url', url]
  return [configurationError({ file: MAIN_FILE, section: '[store]' }, key, value, problem).text]
}
