/**
 * Where the reports of this process are dealt with: the settings in force, the store and the resolver, made when first needed, made
 * anew when the configuration changes.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { Plugin } from '../haraka'
import { configDirectory } from '../ini-files'
import { createDnsResolver, nameServersOf } from '../lib/delivery'
import type { Resolver } from '../lib/dns'
import type { ReceivedStore } from '../lib/received'
import { createClockGuard } from '../lib/store'
import { createOursTest } from '../lib/tlsrpt-reading'
import { tellReading } from '../main-settings'
import { notes, useMonitor } from '../monitoring'
import { readResolvConfText } from '../resolv-conf'
import { createReceived, groundOf, logOf, type Ending } from '../stores'
import { ANALYSIS_FILE, readConfiguration, type Configuration } from './configuration'
import { createHostListTest } from './our-domains'
import type { Reader } from './reading'
import { createTurns } from './turns'

export interface Desk {
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  /** The configuration in force; undefined: there never was one that could be read. */
  readonly configuration: () => Configuration | undefined
  /** What reports are read with under a configuration. */
  readonly readerOf: (configuration: Configuration) => Reader
  /** Begins to remove what is old. */
  readonly start: () => void
  readonly close: () => void
}

/** What is kept from one configuration to the next, where it stays as it was. */
interface Tools {
  readonly configuration: Configuration
  readonly store: ReceivedStore & Ending
  readonly resolver: Resolver
}

const HOUR = 3_600_000
/** Until what began under the configuration before has surely ended: milliseconds. */
const RETIREMENT = 60_000
/** Messages that are read at once in one process. All of them together take a few milliseconds at a time. */
const AT_ONCE = 20

export function createDesk(plugin: Plugin): Desk {
  const turns = createTurns(AT_ONCE)
  const hostListTest = createHostListTest(configDirectory(plugin))
  const isSteady = createClockGuard(Date.now, () => performance.now(), 0.9 * HOUR) // a timer may be early
  let configuration: Configuration | undefined
  let errors: readonly string[] = []
  let tools: Tools | undefined
  let timer: NodeJS.Timeout | undefined

  const reload = (): void => {
    const read = readConfiguration(plugin, reload)
    errors = read.ok ? [] : read.errors
    tellReading(plugin, ANALYSIS_FILE, { errors, warnings: read.ok ? read.warnings : [] }, configuration !== undefined)
    if (!read.ok) return
    configuration = read.configuration
    useMonitor(plugin, configuration.store)
  }

  const toolsFor = (wanted: Configuration): Tools => {
    if (tools?.configuration === wanted) return tools
    const before = tools
    const keepsStore = before !== undefined && isDeepStrictEqual(before.configuration.store, wanted.store)
    const keepsDns = before !== undefined && isDeepStrictEqual(before.configuration.dns, wanted.dns)
    tools = {
      configuration: wanted,
      store: keepsStore ? before.store : createReceived(wanted.store, groundOf(plugin)),
      resolver: keepsDns ? before.resolver : resolverFor(wanted),
    }
    if (before !== undefined) retire(before, tools)
    return tools
  }

  const removeOld = (): void => {
    if (configuration === undefined || !isSteady()) return
    const { store } = configuration.analysis
    if (store !== 'never') void toolsFor(configuration).store.removeOld(Date.now() - store)
  }
  const atExit = (): void => tools?.store.end()

  reload()
  return {
    get errors() {
      return errors
    },
    configuration: () => configuration,
    readerOf: (wanted) => {
      const { store, resolver } = toolsFor(wanted)
      const { domains } = wanted.analysis
      return {
        settings: wanted.analysis,
        store,
        isOurs: domains === undefined ? hostListTest() : createOursTest(domains),
        log: logOf(plugin),
        count: (result) => notes.count('reportsReceived', { result }),
        lookup: resolver.lookup,
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
      tools?.resolver.close()
    },
  }
}

/** Ends what the next configuration does not share. */
function retire(outgoing: Tools, next: Tools): void {
  const end = (): void => {
    if (outgoing.store !== next.store) outgoing.store.end()
    if (outgoing.resolver !== next.resolver) outgoing.resolver.close()
  }
  setTimeout(end, RETIREMENT).unref()
}

function resolverFor({ dns }: Configuration): Resolver {
  return createDnsResolver(dns, nameServersOf(dns, readResolvConfText()))
}
