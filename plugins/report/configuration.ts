/**
 * Reads outbound-tls.report.ini, and what it needs of outbound-tls.ini, and follows their changes.
 *
 * @module
 */

import type { Plugin } from '../haraka'
import { administratorsText, readIni } from '../ini-files'
import { readReportSettings, type ReportSettings, type Settings } from '../lib/settings'
import { readMainSettings } from '../main-settings'
import { retentionWarnings } from './retention'

export const REPORT_FILE = 'outbound-tls.report.ini'

export interface Configuration {
  readonly main: Settings
  readonly report: ReportSettings
}

export interface ConfigurationRead {
  /** what is in force; undefined: there never was anything that could be read */
  readonly configuration: Configuration | undefined
  /** what is wrong with the files as they are now, one line each */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** The configuration in force after the files were read once more. */
export function readConfiguration(
  plugin: Plugin,
  before: Configuration | undefined,
  changed: () => void,
): ConfigurationRead {
  const main = readMainSettings(plugin, changed)
  const report = readReportFile(plugin, changed)
  if (main.ok && report.ok) {
    const warnings = [...report.warnings, ...retentionWarnings(main.settings.store.retention, report.settings)]
    return { configuration: { main: main.settings, report: report.settings }, errors: [], warnings }
  }
  const errors = [...(main.ok ? [] : main.errors), ...(report.ok ? [] : report.errors)]
  return { configuration: before, errors, warnings: [] }
}

type ReportFileRead =
  | { readonly ok: true; readonly settings: ReportSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] }

function readReportFile(plugin: Plugin, changed: () => void): ReportFileRead {
  const ini = readIni(plugin, REPORT_FILE, changed)
  const text = administratorsText(plugin, REPORT_FILE)
  if (text instanceof Error) return { ok: false, errors: [`${REPORT_FILE} cannot be read: ${text.message}`] }
  const result = readReportSettings(ini, text)
  return result.ok ? result : { ok: false, errors: result.errors.map((error) => error.text) }
}
