/**
 * outbound-tls.ini, as all plugins of this package read it, and the files that it names.
 *
 * @module
 */

import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Plugin } from './haraka'
import { administratorsText, configDirectory, readIni } from './ini-files'
import { configurationError, filesNeeded, readSettings, trustAnchorsIn, type Settings } from './lib/settings'

export const MAIN_FILE = 'outbound-tls.ini'

const PACKAGE_ROOT = join(__dirname, '..')

/** Has a plugin find its default files in config/ of the package, wherever it lies in there. The first thing in `register()`. */
export function usePackageConfig(plugin: Plugin): void {
  plugin.config = plugin.config.module_config(PACKAGE_ROOT, process.env.HARAKA)
}

/** The settings, or what is wrong with the file, one line for each. */
export type MainSettingsRead =
  { readonly ok: true; readonly settings: Settings } | { readonly ok: false; readonly errors: readonly string[] }

/**
 * Reads the file for a plugin that delivers nothing, and needs the store, the resolver and the trust anchors of it. The rest is checked
 * all the same, but for what Haraka's own settings add to it.
 *
 * @param changed - as for {@link readIni}
 */
export function readMainSettings(plugin: Plugin, changed: () => void): MainSettingsRead {
  const ini = readIni(plugin, MAIN_FILE, changed)
  const text = administratorsText(plugin, MAIN_FILE)
  if (text instanceof Error) return { ok: false, errors: [`${MAIN_FILE} cannot be read: ${text.message}`] }
  const result = readSettings(ini, { text })
  if (!result.ok) return { ok: false, errors: result.errors.map((error) => error.text) }
  const missing = unreadableFiles(plugin, result.settings)
  return missing.length > 0 ? { ok: false, errors: missing } : { ok: true, settings: result.settings }
}

/** What reading its files has come to, for a plugin that goes on with the last good settings where it has any. */
export interface Reading {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** The plugins and files that were last told to be wrong. */
const wrong = new Set<string>()

/**
 * Says what reading a plugin's files has come to, and when what was wrong has been mended. `isConfigured`: there are settings in force,
 * these or earlier ones.
 */
export function tellReading(plugin: Plugin, file: string, { errors, warnings }: Reading, isConfigured: boolean): void {
  const who = `${plugin.name} ${file}`
  for (const error of errors) plugin.logcrit(error)
  if (errors.length > 0 && isConfigured) plugin.logcrit(`${file}: the last good settings stay in force`)
  if (errors.length > 0) wrong.add(who)
  else if (wrong.delete(who)) plugin.lognotice(`${file}: nothing is wrong any more, the new settings are in force`)
  for (const warning of warnings) plugin.logwarn(warning)
}

/** The Haraka instance, which holds config/ and the store. */
export function instanceDirectory(plugin: Plugin): string {
  return dirname(configDirectory(plugin))
}

/** Reads the PEM text of a `ca-file`, relative to the config directory. Throws where it cannot be read. */
export function readTrustAnchors(plugin: Plugin, file: string): string {
  return trustAnchorsIn(readFileSync(resolve(configDirectory(plugin), file), 'utf8'), file)
}

/** The files that the settings name and that cannot be read, as configuration errors. */
export function unreadableFiles(plugin: Plugin, settings: Settings): string[] {
  return filesNeeded(settings).flatMap(({ section, key, path }) => {
    try {
      readTrustAnchors(plugin, path)
      return []
    } catch (error) {
      const accepted = 'a file of PEM certificates that Haraka may read, relative to the config directory'
      const why = error instanceof Error ? error.message : String(error)
      return [configurationError({ file: MAIN_FILE, section }, key, path, `${accepted} (${why})`).text]
    }
  })
}

/**
 * A configuration that cannot be read stops Haraka at its start. Not everywhere: a worker may be started again after a broken reload, and
 * `ignore_bad_plugins` has Haraka run without the plugin.
 */
export function refuseToLoad(plugin: Plugin, errors: readonly string[]): void {
  if (errors.length === 0 || cluster.isWorker || ignoresBadPlugins(plugin)) return
  throw new Error(`${plugin.name} does not load: ${errors.join(' | ')}`)
}

/** Whether Haraka goes on without plugins that fail to load. */
function ignoresBadPlugins(plugin: Plugin): boolean {
  const setting = plugin.haraka_require('server').cfg?.main.ignore_bad_plugins
  return setting !== undefined && setting !== false && setting !== 'false' && setting !== ''
}
