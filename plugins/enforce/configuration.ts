/**
 * Reads outbound-tls.ini and what Haraka's own files say about outbound TLS, and follows their changes.
 *
 * A file that cannot be read never lets mail out unpoliced: at start the plugin refuses to load, at reload the last
 * good settings stay in force, and where Haraka runs all the same there are no settings, and no delivery.
 *
 * @module
 */

import type { OutboundConfig, OutboundTls, Plugin, TlsSocketModule } from '../haraka'
import { administratorsText, readIni } from '../ini-files'
import { readSettings, type HarakaTlsInput, type Settings } from '../lib/settings'
import { MAIN_FILE, unreadableFiles } from '../main-settings'

export interface Configuration {
  /** the settings in force; undefined: there never were any that could be read */
  readonly settings: Settings | undefined
  /** what is wrong with the file as it is now, one line each */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** The settings in force after the files were read once more. */
export function readConfiguration(plugin: Plugin, before: Settings | undefined, changed: () => void): Configuration {
  const ini = readIni(plugin, MAIN_FILE, changed)
  const text = administratorsText(plugin, MAIN_FILE)
  if (text instanceof Error)
    return { settings: before, errors: [`${MAIN_FILE} cannot be read: ${text.message}`], warnings: [] }

  const result = readSettings(ini, { text, haraka: harakaSettings(plugin) })
  if (!result.ok) return { settings: before, errors: result.errors.map((error) => error.text), warnings: [] }
  const missing = unreadableFiles(plugin, result.settings)
  if (missing.length > 0) return { settings: before, errors: missing, warnings: [] }
  return { settings: result.settings, errors: [], warnings: result.warnings }
}

/** The parts of core that hold Haraka's own settings. Core replaces these objects when it reads its files again. */
export interface HarakaParts {
  readonly outbound: OutboundConfig
  readonly outboundTls: OutboundTls['cfg']
  readonly tls: TlsSocketModule['cfg']
}

interface HarakaModules {
  readonly outbound: { readonly cfg: OutboundConfig }
  readonly outboundTls: OutboundTls
  readonly tls: TlsSocketModule
}

/** Asking core for a module takes its time, and every delivery looks at them. */
const modulesOf = new WeakMap<Plugin, HarakaModules>()

function harakaModules(plugin: Plugin): HarakaModules {
  const modules = modulesOf.get(plugin) ?? {
    outbound: plugin.haraka_require('outbound/config'),
    outboundTls: plugin.haraka_require('outbound/tls'),
    tls: plugin.haraka_require('tls_socket'),
  }
  modulesOf.set(plugin, modules)
  return modules
}

/** They are taken from core, not read again: asking haraka-config for a file takes the notice of its changes from core. */
export function harakaParts(plugin: Plugin): HarakaParts {
  const { outbound, outboundTls, tls } = harakaModules(plugin)
  return { outbound: outbound.cfg, outboundTls: outboundTls.cfg, tls: tls.cfg }
}

function harakaSettings(plugin: Plugin): HarakaTlsInput {
  const { outbound, outboundTls, tls } = harakaParts(plugin)
  const family = outbound.inet_prefer
  return {
    enableTls: outbound.enable_tls,
    forceTlsHosts: outboundTls?.force_tls_hosts ?? [],
    noTlsHosts: outboundTls?.no_tls_hosts ?? [],
    disableForFailedHosts: outboundTls?.redis?.disable_for_failed_hosts === true,
    inetPrefer: family === 'v4' || family === 'v6' ? family : 'default',
    localMxOk: outbound.local_mx_ok,
    mutualTls: presentsClientCertificates(tls),
  }
}

/** Whether core merges client certificates of its own into outbound handshakes. */
export function presentsClientCertificates(tls: TlsSocketModule['cfg']): boolean {
  return tls?.main.mutual_tls === true || Object.keys(tls?.mutual_auth_hosts ?? {}).length > 0
}
