/**
 * Reporting in this process: follows the configuration, says what is missing in it, and hears what becomes of the mails with reports.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from '../haraka'
import { configDirectory } from '../ini-files'
import type { QueueEvents } from '../lib/reports'
import { sendsReports, type ReportSettings } from '../lib/settings'
import { tellReading } from '../main-settings'
import { flushMonitor, useMonitor } from '../monitoring'
import { readConfiguration, REPORT_FILE, type Configuration } from './configuration'
import { countFromQueue } from './counting'
import { deskParts, openDesk, type Desk } from './desk'
import { readMeans, type Means, type MeansRead } from './means'

const MINUTE = 60_000

export interface Reporting extends QueueEvents {
  /** what is wrong with the configuration now */
  readonly errors: readonly string[]
  /** `retry-for` in milliseconds; undefined: there is no configuration */
  readonly retryFor: () => number | undefined
  /** Begins to look what there is to report. */
  readonly start: () => void
  /** Begins nothing more. */
  readonly close: () => void
}

export function createReporting(plugin: Plugin): Reporting {
  const means = createMeansKeeper(plugin)
  let configuration: Configuration | undefined
  let errors: readonly string[] = []
  let desk: Desk | undefined
  let isStarted = false

  const deskNow = (): Desk | undefined => {
    if (configuration !== undefined) desk ??= openDesk(plugin, configuration, means.now)
    return desk
  }
  const begin = (): void => {
    if (configuration === undefined) return
    useMonitor(plugin, configuration.main.store)
    means.use(configuration.report)
    deskNow()?.reporter.start()
  }
  const closeDesk = (): void => {
    void desk?.close()
    desk = undefined
  }
  const reload = (): void => {
    const before = configuration
    const read = readConfiguration(plugin, before, reload)
    errors = read.errors
    tellReading(plugin, REPORT_FILE, read, before !== undefined)
    configuration = read.configuration
    if (configuration === undefined || configuration === before) return
    if (before !== undefined && !isDeepStrictEqual(deskParts(before), deskParts(configuration))) closeDesk()
    if (isStarted) begin()
  }
  /** Nobody waits for it, so that it must not reject. */
  const news = async (name: keyof QueueEvents, ...heard: Parameters<QueueEvents['delivered']>): Promise<void> => {
    try {
      await deskNow()?.reporter[name](...heard)
    } catch (error) {
      plugin.logerror(`what became of a TLS report is not noted: ${String(error)}`) // a mistake of ours
    }
  }

  reload()
  return {
    get errors() {
      return errors
    },
    retryFor: () => configuration?.report.retryFor,
    start: () => {
      isStarted = true
      begin()
    },
    close: () => {
      isStarted = false
      closeDesk()
      void flushMonitor()
    },
    delivered: (...heard) => {
      countFromQueue('accepted')
      return news('delivered', ...heard)
    },
    deferred: (...heard) => news('deferred', ...heard),
    bounced: (...heard) => {
      countFromQueue('failed')
      return news('bounced', ...heard)
    },
  }
}

interface MeansKeeper {
  /** Takes them from these settings from now on, and says what is missing. */
  readonly use: (settings: ReportSettings) => void
  /** Undefined: something is missing. It is looked for once a minute: a key file may have been forgotten. */
  readonly now: () => Means | undefined
}

function createMeansKeeper(plugin: Plugin): MeansKeeper {
  let settings: ReportSettings | undefined
  let read: MeansRead | undefined
  let readAt = -Infinity
  let said: string | undefined

  const look = (): void => {
    if (settings === undefined) return
    readAt = performance.now()
    read = readMeans(settings, (path) => readConfigFile(plugin, path))
    const text = read.ok || !sendsReports(settings) ? undefined : missing(read.missing)
    if (text !== undefined && text !== said) plugin.logcrit(text)
    if (text === undefined && said !== undefined) plugin.lognotice(`${REPORT_FILE}: nothing is missing any more`)
    said = text
    for (const warning of read.ok ? read.warnings : []) plugin.logwarn(warning)
  }
  return {
    use: (changed) => {
      settings = changed
      look()
    },
    now: () => {
      if (read?.ok === false && performance.now() - readAt >= MINUTE) look()
      return read?.ok ? read.means : undefined
    },
  }
}

function missing(what: readonly string[]): string {
  return `${REPORT_FILE}: no TLS reports are sent, outcomes are recorded all the same; what is missing: ${what.join('; ')}`
}

function readConfigFile(plugin: Plugin, path: string): string | undefined {
  try {
    return readFileSync(resolve(configDirectory(plugin), path), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
