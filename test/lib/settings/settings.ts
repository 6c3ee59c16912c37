/** Short ways to settings and facts for the tests of this room. */
import assert from 'node:assert/strict'
import { readSettings, type DeliveryFacts, type ReadOptions, type Settings } from '../../../dist/lib/settings/index.js'
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
