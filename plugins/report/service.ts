/**
 * Reporting in this process: follows the configuration, and hears what Haraka's queue says of mails with reports.
 *
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import type { QueueEvents } from '../lib/tlsrpt/sending'
import { follow, mainFile, reportFile } from '../runtime/config'
import type { Plugin } from '../runtime/haraka'
import { flushMonitor, useMonitor } from '../runtime/monitoring'
import { countFromQueue } from './counting'
import { startReporter, type ReporterConfiguration, type RunningReporter } from './reporter'
import { retentionWarnings } from './retention'
import { createIdentity } from './sender-identity'

export interface ReportService extends QueueEvents {
  /** what is wrong with the configuration now */
  readonly errors: readonly string[]
  /** `retry-for` in milliseconds; undefined: there is no configuration */
  readonly retryFor: () => number | undefined
  /** Begins to look what there is to report. */
  readonly start: () => void
  /** Begins nothing more. */
  readonly close: () => void
}

export function createReportService(plugin: Plugin): ReportService {
  const identity = createIdentity(plugin)
  const main = follow(plugin, mainFile, () => configured())
  const report = follow(plugin, reportFile, () => configured())
  let configuration: ReporterConfiguration | undefined
  let reporter: RunningReporter | undefined
  let isStarted = false

  const reporterNow = (): RunningReporter | undefined => {
    if (configuration !== undefined) reporter ??= startReporter(plugin, configuration, identity.now)
    return reporter
  }
  const begin = (): void => {
    if (configuration === undefined) return
    useMonitor(plugin, configuration.main.store)
    identity.use(configuration.report)
    reporterNow()?.start()
  }
  const stop = (): void => {
    void reporter?.close()
    reporter = undefined
  }
  const configured = (): void => {
    if (main.settings === undefined || report.settings === undefined) return
    const before = configuration
    configuration = { main: main.settings, report: report.settings }
    for (const warning of retentionWarnings(main.settings.store.retention, report.settings)) plugin.logwarn(warning)
    if (before !== undefined && !isDeepStrictEqual(partsOf(before), partsOf(configuration))) stop()
    if (isStarted) begin()
  }
  /** Nothing waits for it, so that it must not reject. */
  const note = async (tell: (news: QueueEvents) => Promise<void>): Promise<void> => {
    try {
      const running = reporterNow()
      if (running !== undefined) await tell(running.news)
    } catch (error) {
      plugin.logerror(`the queue's news of a TLS report are not noted: ${String(error)}`) // a mistake of ours
    }
  }

  configured()
  return {
    get errors() {
      return [...main.errors, ...report.errors]
    },
    retryFor: () => configuration?.report.retryFor,
    start: () => {
      isStarted = true
      begin()
    },
    close: () => {
      isStarted = false
      stop()
      void flushMonitor()
    },
    delivered: (...heard) => {
      countFromQueue('accepted')
      return note((news) => news.delivered(...heard))
    },
    deferred: (...heard) => note((news) => news.deferred(...heard)),
    bounced: (...heard) => {
      countFromQueue('failed')
      return note((news) => news.bounced(...heard))
    },
  }
}

/** While these are the same, so is the reporter. */
function partsOf({ main: { store, dns, main }, report }: ReporterConfiguration): unknown {
  return [store, dns, main.caFile, report.allowPrivateAddresses]
}
