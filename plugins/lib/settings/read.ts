/**
 * outbound-tls.ini as haraka-config gives it → typed settings, or all that is wrong with it.
 *
 * @module
 */

import type { ConfigurationError } from './errors'
import { HARAKA_DEFAULTS, readHarakaTls, type HarakaTlsInput } from './haraka'
import { defaultsOf, isSection, readSection, type KeysOf, type SectionReading } from './keys'
import { checkLines } from './lines'
import { effectiveMain, mainContradictions, mainWarnings, setByMain } from './main'
import { readRule } from './rules'
import { sectionErrors } from './sections'
import type { Settings, StoreSettings } from './settings'
import { DNS_KEYS, MAIN_KEYS, MTA_STS_KEYS, STORE_KEYS } from './tables'

/** Settings, or why there are none. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly ConfigurationError[] }

/** What else is known when the file is read. */
export interface ReadOptions {
  /** the file's name in messages */
  readonly file?: string
  /** the administrator's file as it is on disk: what haraka-config drops without an error is found there */
  readonly text?: string
  /** Haraka's own settings */
  readonly haraka?: HarakaTlsInput
}

const SECTIONS = '[main], [dns], [mta-sts], [store], [rule:NAME]'

/**
 * Reads outbound-tls.ini. Total: whatever is passed in, the result says what is wrong with it, all of it at once.
 *
 * @param ini - what haraka-config's `get('outbound-tls.ini')` gives, without declared booleans
 */
export function readSettings(ini: unknown, options: ReadOptions = {}): SettingsResult {
  const file = options.file ?? 'outbound-tls.ini'
  const haraka = readHarakaTls(options.haraka ?? HARAKA_DEFAULTS)
  const sections = isSection(ini) ? ini : { main: ini }
  const read = <Values extends object>(name: string, keys: KeysOf<Values>): SectionReading<Values> =>
    readSection(keys, sections[name], { file, section: `[${name}]` })

  const main = read('main', MAIN_KEYS)
  const dns = read('dns', DNS_KEYS)
  const mtaSts = read('mta-sts', MTA_STS_KEYS)
  const store = read('store', STORE_KEYS)
  const rules = Object.keys(sections)
    .filter((name) => name.startsWith('rule:'))
    .map((name) => readRule(file, name, sections[name]))

  const errors = [
    ...checkLines(file, options.text ?? '', sections),
    ...sectionErrors(file, sections, isKnownSection, SECTIONS),
    ...[main, dns, mtaSts, store, ...rules].flatMap((reading) => reading.errors),
    ...mainContradictions({ file, section: '[main]' }, main.values, haraka),
  ]
  if (errors.length > 0) return { ok: false, errors }

  const settings: Settings = {
    main: { ...defaultsOf(MAIN_KEYS), ...effectiveMain(main.values, haraka) },
    dns: { ...defaultsOf(DNS_KEYS), ...dns.values },
    mtaSts: { ...defaultsOf(MTA_STS_KEYS), ...mtaSts.values },
    store: { ...defaultsOf(STORE_KEYS), ...store.values },
    rules: rules.map(({ rule }) => rule),
    haraka,
    setBy: setByMain(main.values, haraka),
  }
  const warnings = [...haraka.warnings, ...mainWarnings(file, main.values), ...storeWarnings(file, store.values)]
  return { ok: true, settings, warnings }
}

/** A file that the settings name. Whether it is there and can be read is for the caller to see. */
export interface NeededFile {
  readonly section: string
  readonly key: string
  /** as it is written */
  readonly path: string
}

/** The files that must be readable for these settings to be in force. */
export function filesNeeded({ main, rules }: Settings): readonly NeededFile[] {
  const key = MAIN_KEYS.caFile.name
  const named = [
    { section: '[main]', path: main.caFile },
    ...rules.map(({ name, sets }) => ({ section: `[rule:${name}]`, path: sets.caFile })),
  ]
  return named.flatMap(({ section, path }) => (path === undefined ? [] : [{ section, key, path }]))
}

function isKnownSection(name: string): boolean {
  return ['main', 'dns', 'mta-sts', 'store'].includes(name) || name.startsWith('rule:')
}

/** A key of the engine that is not in use: harmless, and perhaps the sign of a forgotten `engine = postgres`. */
function storeWarnings(file: string, { engine = 'sqlite', path, url }: Partial<StoreSettings>): readonly string[] {
  const idle = engine === 'sqlite' ? url && 'url' : path && 'path'
  return idle === undefined ? [] : [`${file} [store] ${idle}: no effect with engine = ${engine}`]
}
