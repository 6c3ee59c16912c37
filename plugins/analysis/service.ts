/**
 * The analysis in this process: the settings in force, and the store and the resolver that reports are read with, which are had when
 * first needed.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { ReceivedStore } from '../lib/tlsrpt/received'
import type { AnalysisSettings, DnsSettings, StoreSettings } from '../lib/settings'
import { createClockGuard } from '../lib/store'
import { createOursTest } from '../lib/tlsrpt/parsing'
import { analysisFile, configDirectory, follow, mainFile, statusFile } from '../runtime/config'
import type { Plugin } from '../runtime/haraka'
import { monitoring, useMonitor } from '../runtime/monitoring'
import { logOf } from '../runtime/plugin'
import { useDns, type Dns, type Shared } from '../runtime/runtime'
import { createReceived, storeContextOf, type Closable } from '../runtime/stores'
import { HOUR } from '../lib/time'
import { createHostListTest } from './our-domains'
import type { Reader } from './reading'
import { createTurns } from './turns'

export interface AnalysisService {
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  /** The configuration in force; undefined: there never was one that could be read. */
  readonly configuration: () => AnalysisConfiguration | undefined
  /** What reports are read with under a configuration. */
  readonly readerOf: (configuration: AnalysisConfiguration) => Reader
  /** Begins to remove what is old. */
  readonly start: () => void
  readonly close: () => void
}

export interface AnalysisConfiguration {
  readonly analysis: AnalysisSettings
  readonly dns: DnsSettings
  readonly store: StoreSettings
  /** where reports are posted to, as in a URL; there is one where `https` is set */
  readonly endpoint: string | undefined
}

interface Tools {
  readonly configuration: AnalysisConfiguration
  readonly store: ReceivedStore & Closable
  readonly dns: Shared<Dns>
}

/** Until what began under the configuration before has surely ended: milliseconds. */
const RETIREMENT = 60_000
/** Messages that are read at once in one process. All of them together take a few milliseconds at a time. */
const AT_ONCE = 20

export function createAnalysisService(plugin: Plugin): AnalysisService {
  const turns = createTurns(AT_ONCE)
  const hostListTest = createHostListTest(configDirectory(plugin.config))
  const isSteady = createClockGuard(Date.now, () => performance.now(), 0.9 * HOUR) // a timer may be early
  const main = follow(plugin, mainFile, () => configured())
  const analysis = follow(plugin, analysisFile, () => configured())
  const status = follow(plugin, statusFile, () => configured())
  let configuration: AnalysisConfiguration | undefined
  let tools: Tools | undefined
  let timer: NodeJS.Timeout | undefined

  const configured = (): void => {
    if (main.settings === undefined || analysis.settings === undefined) return
    const { dns, store } = main.settings
    const endpoint = status.settings && `${status.settings.path}/report`
    const now = { analysis: analysis.settings, dns, store, endpoint }
    if (isDeepStrictEqual(now, configuration)) return
    configuration = now
    useMonitor(plugin, store)
  }

  const toolsFor = (wanted: AnalysisConfiguration): Tools => {
    if (tools?.configuration === wanted) return tools
    const before = tools
    const { store, dns } = wanted
    tools = { configuration: wanted, store: createReceived(store, storeContextOf(plugin)), dns: useDns(plugin, dns) }
    if (before !== undefined) setTimeout(release, RETIREMENT, before).unref()
    return tools
  }

  const removeOld = (): void => {
    if (configuration === undefined || !isSteady()) return
    const { store } = configuration.analysis
    if (store !== 'never') void toolsFor(configuration).store.removeOld(store)
  }
  const atExit = (): void => tools?.store.end()

  configured()
  return {
    get errors() {
      // otherwise the status file is the status plugin's business alone
      const isStatusNeeded = analysis.settings?.https === true
      return [...main.errors, ...analysis.errors, ...(isStatusNeeded ? status.errors : [])]
    },
    configuration: () => configuration,
    readerOf: (wanted) => {
      const { store, dns } = toolsFor(wanted)
      const { domains } = wanted.analysis
      return {
        settings: wanted.analysis,
        store,
        isOurs: domains === undefined ? hostListTest() : createOursTest(domains),
        log: logOf(plugin),
        count: (result) => monitoring.count('reportsReceived', { result }),
        countFailures: (result, isOurs, count) =>
          monitoring.count('reportedFailures', { result_type: result, our_domain_known: String(isOurs) }, count),
        lookup: dns.thing.resolver.lookup,
        turns,
      }
    },
    start: () => {
      if (timer !== undefined) return
      timer = setInterval(removeOld, HOUR).unref()
      process.on('exit', atExit)
    },
    close: () => {
      clearInterval(timer)
      tools?.dns.release()
      tools = undefined
    },
  }
}

function release({ store, dns }: Tools): void {
  store.end()
  dns.release()
}
