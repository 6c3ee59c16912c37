/**
 * outbound-tls.status.ini: the page, the JSON and the metrics.
 *
 * @module
 */

import { configurationError, type ConfigurationError } from './errors'
import { defaultsOf, isSection, key, optionalKey, readSection, type KeysOf, type ValueKind } from './keys'
import * as kind from './kinds'
import { checkLines } from './lines'

export interface StatusSettings {
  /** of the page, as in a URL: begins with a slash, does not end with one */
  readonly path: string
  /** whether /metrics is served */
  readonly metrics: boolean
  /** what a visitor must know; undefined: only direct requests from this machine are served */
  readonly token: string | undefined
}

export type StatusSettingsResult =
  | { readonly ok: true; readonly settings: StatusSettings }
  | { readonly ok: false; readonly errors: readonly ConfigurationError[] }

const URL_PATH: ValueKind<string> = {
  accepted:
    'a path such as /tls: letters, digits, "-", "_", "." and "~" between slashes, none at its end; not /metrics',
  read: (text) => {
    const isPath = /^(?:\/[\w~-][\w.~-]*)+$/.test(text) && text.length <= 100
    return isPath && !/^\/metrics(?:\/|$)/i.test(text) ? text : undefined
  },
}

/**
 * What may stand behind "Bearer" (RFC 6750 §2.1), long enough not to be guessed. haraka-config makes a number of what looks like one,
 * and may lose digits of it.
 */
const TOKEN: ValueKind<string> = {
  accepted: 'at least 16 letters, digits and "-._~+/=", not digits alone; `openssl rand -hex 24` makes a good one',
  read: (text) => (/^[\w.~+/-]{15,}=*$/.test(text) && text.length >= 16 && /[^\d.-]/.test(text) ? text : undefined),
}

/** `[main]` of outbound-tls.status.ini. */
export const STATUS_KEYS: KeysOf<StatusSettings> = {
  path: key('path', URL_PATH, '/tls'),
  metrics: key('metrics', kind.FLAG, true),
  token: optionalKey('token', TOKEN),
}

/**
 * Reads outbound-tls.status.ini. Total: whatever is passed in, the result says what is wrong with it, all of it at once.
 *
 * @param ini - what haraka-config's `get` gives, without declared booleans
 * @param text - the administrator's file as it is on disk
 */
export function readStatusSettings(ini: unknown, text: string, file = 'outbound-tls.status.ini'): StatusSettingsResult {
  const sections = isSection(ini) ? ini : { main: ini }
  const main = readSection(STATUS_KEYS, sections.main, { file, section: '[main]' })
  const unknown = Object.keys(sections).filter((name) => name !== 'main')
  const errors = [
    ...checkLines(file, text, sections),
    ...unknown.map((name) => {
      const place = { file, section: `[${name.slice(0, 120)}]` }
      return configurationError(place, undefined, undefined, 'unknown section, accepted sections: [main]')
    }),
    ...main.errors,
  ]
  if (errors.length > 0) return { ok: false, errors }
  return { ok: true, settings: { ...defaultsOf(STATUS_KEYS), ...main.values } }
}
