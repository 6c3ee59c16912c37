/** Short ways to settings and facts for the tests of this room. */
import assert from 'node:assert/strict'
import {
  readAnalysisSettings,
  readReportSettings,
  readSettings,
  readStatusSettings,
  type AnalysisSettings,
  type DeliveryFacts,
  type ReadOptions,
  type ReportSettings,
  type Settings,
  type StatusSettings,
} from '../../../dist/lib/settings/index.js'
import { readIni } from './haraka-config.ts'

/** An administrator's file as the plugin reads it. */
export function read(text: string, options: ReadOptions = {}) {
  return readSettings(readIni(text), { text, ...options })
}

/** Settings of a file that must be right. */
export function settingsOf(text: string, options: ReadOptions = {}): Settings {
  const result = read(text, options)
  assert.ok(result.ok, result.ok ? '' : result.errors.map((error) => error.text).join('\n'))
  return result.settings
}

/** The errors of a file, one line each. */
export function errorsOf(text: string, options: ReadOptions = {}): string[] {
  const result = read(text, options)
  return result.ok ? [] : result.errors.map((error) => error.text)
}

/** outbound-tls.report.ini as the plugin reads it. */
export function readReport(text: string): ReturnType<typeof readReportSettings> {
  return readReportSettings(readIni(text, 'outbound-tls.report.ini'), text)
}

/** The settings of an outbound-tls.report.ini that must be right. */
export function reportSettingsOf(text: string): ReportSettings {
  const result = readReport(text)
  assert.ok(result.ok, result.ok ? '' : result.errors.map((error) => error.text).join('\n'))
  return result.settings
}

/** The settings of an outbound-tls.analysis.ini that must be right. */
export function analysisSettingsOf(text: string): AnalysisSettings {
  const result = readAnalysisSettings(readIni(text, 'outbound-tls.analysis.ini'), text)
  assert.ok(result.ok, result.ok ? '' : result.errors.map((error) => error.text).join('\n'))
  return result.settings
}

/** The settings of an outbound-tls.status.ini that must be right. */
export function statusSettingsOf(text: string): StatusSettings {
  const result = readStatusSettings(readIni(text, 'outbound-tls.status.ini'), text)
  assert.ok(result.ok, result.ok ? '' : result.errors.map((error) => error.text).join('\n'))
  return result.settings
}

/** A first attempt from jane@sender.example to a domain whose hosts are found in DNS. */
export function facts(changes: Partial<DeliveryFacts> = {}): DeliveryFacts {
  return {
    recipientDomain: 'example.org',
    sender: 'jane@sender.example',
    senderDomain: 'sender.example',
    retryNumber: 0,
    lastErrors: new Set(),
    route: 'mx',
    ...changes,
  }
}

export const NOW = new Date('2026-12-01T12:00:00Z')
