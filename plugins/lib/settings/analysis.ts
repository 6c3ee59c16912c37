/**
 * outbound-tls.analysis.ini as haraka-config gives it → typed settings, or all that is wrong with it.
 *
 * @module
 */

import { DAY } from '../time'
import { ADDRESS_PATTERN, compileAddresses, type AddressPatterns } from './addresses'
import type { ConfigurationError } from './errors'
import { defaultsOf, isSection, key, listKey, readSection, type KeysOf, type ValueKind } from './keys'
import * as kind from './kinds'
import { checkLines } from './lines'
import { sectionErrors } from './sections'

/** All of outbound-tls.analysis.ini. */
export interface AnalysisSettings {
  /** recipients whose mail is looked into */
  readonly addresses: AddressPatterns
  /** false: a message that held a valid report, for these addresses only, is accepted and goes no further */
  readonly forward: boolean
  /** how long parsed reports are kept, in milliseconds; `never`: not at all */
  readonly store: number | 'never'
  /** of one report after decompression, in bytes */
  readonly maxSize: number
  /** whose reports are counted; undefined: those of config/host_list and config/me */
  readonly domains: readonly string[] | undefined
  readonly https: boolean
  /** false: reports without a signature of the domain that reports are counted too */
  readonly requireDkim: boolean
}

export type AnalysisSettingsResult =
  | { readonly ok: true; readonly settings: AnalysisSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly ConfigurationError[] }

interface AnalysisValues extends Omit<AnalysisSettings, 'addresses'> {
  readonly addresses: readonly string[] | undefined
}

const LIFETIME = kind.duration('1h', '3650d')
const LIFETIME_OR_NEVER: ValueKind<number | 'never'> = {
  accepted: `${LIFETIME.accepted}, or never`,
  read: (text) => (text === 'never' ? text : LIFETIME.read(text)),
}

/** `[main]`. */
export const ANALYSIS_KEYS: KeysOf<AnalysisValues> = {
  addresses: listKey('addresses[]', ADDRESS_PATTERN),
  forward: key('forward', kind.FLAG, true),
  store: key('store', LIFETIME_OR_NEVER, 30 * DAY),
  maxSize: key('max-size', kind.size('64kb', '1gb'), 26_214_400),
  domains: listKey('domains[]', kind.DOMAIN),
  https: key('https', kind.FLAG, false),
  requireDkim: key('require-dkim', kind.FLAG, true),
}

/**
 * Reads outbound-tls.analysis.ini. Total: whatever is passed in, the result says what is wrong with it, all of it at once.
 *
 * @param ini - what haraka-config's `get` gives, without declared booleans
 * @param text - the administrator's file as it is on disk
 */
export function readAnalysisSettings(
  ini: unknown,
  text: string,
  file = 'outbound-tls.analysis.ini',
): AnalysisSettingsResult {
  const sections = isSection(ini) ? ini : { main: ini }
  const main = readSection(ANALYSIS_KEYS, sections.main, { file, section: '[main]' })
  const errors = [
    ...checkLines(file, text, sections),
    ...sectionErrors(file, sections, (name) => name === 'main', '[main]'),
    ...main.errors,
  ]
  if (errors.length > 0) return { ok: false, errors }
  const { addresses = [], ...values } = { ...defaultsOf(ANALYSIS_KEYS), ...main.values }
  const settings = { ...values, addresses: compileAddresses(addresses) }
  return { ok: true, settings, warnings: warningsOf(file, addresses, settings) }
}

function warningsOf(
  file: string,
  addresses: readonly string[],
  { forward, https, requireDkim, store }: AnalysisSettings,
): readonly string[] {
  const warnings: string[] = []
  if (addresses.length === 0 && !https)
    warnings.push(`${file} [main] neither addresses[] nor https = true: no report will be read`)
  if (!requireDkim) warnings.push(`${file} [main] require-dkim = false: reports count that anyone may have written`)
  if (!forward && store === 'never')
    warnings.push(`${file} [main] forward = false, store = never: of reports nothing is left but the log`)
  return warnings
}
