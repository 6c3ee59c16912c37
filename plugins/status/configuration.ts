/**
 * What this plugin reads: outbound-tls.status.ini, and outbound-tls.ini for the store and the exemptions. Both are followed.
 *
 * @module
 */

import type { Plugin } from '../haraka'
import { administratorsText, readIni } from '../ini-files'
import { readStatusSettings, type Settings, type StatusSettings } from '../lib/settings'
import { MAIN_FILE, readMainSettings, tellReading } from '../main-settings'

const STATUS_FILE = 'outbound-tls.status.ini'

export interface Configuration {
  /** undefined: they never could be read, and nobody sees anything */
  readonly status: () => StatusSettings | undefined
  readonly main: () => Settings | undefined
  /** what was wrong at the start */
  readonly errors: readonly string[]
}

/** @param changed - called when other settings are in force */
export function followConfiguration(plugin: Plugin, changed: () => void): Configuration {
  let status: StatusSettings | undefined
  let main: Settings | undefined

  const readStatus = (): readonly string[] => {
    const ini = readIni(plugin, STATUS_FILE, reloadStatus)
    const text = administratorsText(plugin, STATUS_FILE)
    if (text instanceof Error) return [`${STATUS_FILE} cannot be read: ${text.message}`]
    const result = readStatusSettings(ini, text, STATUS_FILE)
    if (!result.ok) return result.errors.map((error) => error.text)
    status = result.settings
    return []
  }
  const readMain = (): readonly string[] => {
    const result = readMainSettings(plugin, reloadMain)
    if (!result.ok) return result.errors
    main = result.settings
    return []
  }
  const reload = (file: string, errors: readonly string[], isConfigured: boolean): void => {
    tellReading(plugin, file, { errors, warnings: [] }, isConfigured)
    if (errors.length === 0) changed()
  }
  const reloadStatus = () => reload(STATUS_FILE, readStatus(), status !== undefined)
  const reloadMain = () => reload(MAIN_FILE, readMain(), main !== undefined)

  const errors = [...readStatus(), ...readMain()]
  for (const error of errors) plugin.logcrit(error)
  return { status: () => status, main: () => main, errors }
}
