/**
 * Reads outbound-tls.analysis.ini, and of the other files what the analysis needs: the store and the resolver of outbound-tls.ini, the
 * path of outbound-tls.status.ini. What cannot be read never stops mail: at a reload the last good settings stay in force.
 *
 * @module
 */

import type { Plugin } from '../haraka'
import { administratorsText, readIni } from '../ini-files'
import {
  readAnalysisSettings,
  readStatusSettings,
  type AnalysisSettings,
  type DnsSettings,
  type StoreSettings,
} from '../lib/settings'
import { readMainSettings } from '../main-settings'

export const ANALYSIS_FILE = 'outbound-tls.analysis.ini'
const STATUS_FILE = 'outbound-tls.status.ini'

export interface Configuration {
  readonly analysis: AnalysisSettings
  readonly dns: DnsSettings
  readonly store: StoreSettings
  /** where reports are posted to, as in a URL; there is one where `https` is set */
  readonly endpoint: string | undefined
}

export type ConfigurationRead =
  | { readonly ok: true; readonly configuration: Configuration; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] }

/** @param changed - see {@link readIni} */
export function readConfiguration(plugin: Plugin, changed: () => void): ConfigurationRead {
  const text = (file: string): string => {
    const found = administratorsText(plugin, file)
    if (found instanceof Error) errors.push(`${file} cannot be read: ${found.message}`)
    return found instanceof Error ? '' : found
  }
  const errors: string[] = []
  const analysis = readAnalysisSettings(readIni(plugin, ANALYSIS_FILE, changed), text(ANALYSIS_FILE))
  const main = readMainSettings(plugin, changed)
  const status = readStatusSettings(readIni(plugin, STATUS_FILE, changed), text(STATUS_FILE))
  if (!main.ok) errors.push(...main.errors)
  if (!analysis.ok) errors.push(...analysis.errors.map((error) => error.text))
  // otherwise it is the status plugin's business alone
  const isNeeded = analysis.ok && analysis.settings.https
  if (!status.ok && isNeeded) errors.push(...status.errors.map((error) => error.text))
  if (errors.length > 0 || !main.ok || !analysis.ok) return { ok: false, errors }
  const { dns, store } = main.settings
  const endpoint = status.ok ? `${status.settings.path}/report` : undefined
  return {
    ok: true,
    configuration: { analysis: analysis.settings, dns, store, endpoint },
    warnings: analysis.warnings,
  }
}
