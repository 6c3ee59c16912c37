/**
 * What all deliveries of this process share: settings, resolver, TLS contexts. Made when first needed, made anew when
 * the configuration changes; a delivery under way goes on with what it began with.
 *
 * @module
 */

import type { HMailItem, NetUtils, OutboundConfig, Plugin } from '../runtime/haraka'
import { createPlanner, type Planner, type PlannerInput } from '../lib/delivery'
import type { SessionOutcome } from '../lib/tlsrpt/counting'
import type { Concern } from '../lib/policy'
import { expiringRules, type DeliveryFacts, type Settings } from '../lib/settings'
import { follow, mainFile } from '../runtime/config'
import { coreSettings } from '../runtime/core-settings'
import { flushMonitor, monitoring, useMonitor } from '../runtime/monitoring'
import { createEmitter, type DeliveredMessage, type Subscriber } from '../runtime/events'
import { HOUR, MINUTE } from '../lib/time'
import { envelopeOf } from './envelope'
import { createEventLog, outcomeLine } from './event-log'
import { createEventMonitor } from './event-monitor'
import { createEventRecorder } from './event-outcomes'
import { createOutcomeKeeper } from './outcomes'
import { createKnownCertsKeeper, type KnownCertsKeeper } from './known-certs'
import { createOwnAddresses, type OwnAddresses } from './own-addresses'
import { tellHealth } from './resolver-health'
import { createSnapshot, startSnapshot, type Snapshot } from './snapshot'

export interface Engine {
  /** Undefined: the configuration cannot be read, nothing may be delivered. Says so once a minute. */
  settings(): Settings | undefined
  /** What an attempt works with, which has to release it. Undefined as above. */
  acquire(): Snapshot | undefined
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  readonly HarakaMx: NetUtils['HarakaMx']
  readonly addresses: OwnAddresses
  readonly knownCerts: Pick<KnownCertsKeeper, 'find'>
  /** outbound.ini as core has it at this moment; what hmail.cfg says is as old as the item */
  readonly outbound: OutboundConfig
  /** Tells the log, the monitoring data and the outcomes what happens. Never throws. */
  readonly emit: Subscriber
  /** Tests the resolver now and every hour. */
  start(): void
  /** Ends timers and background work. Deliveries go on; what they use is closed behind the last of them. */
  close(): void
}

export function createEngine(plugin: Plugin): Engine {
  const outcomes = createOutcomeKeeper(plugin)
  const record = (outcome: SessionOutcome) => {
    if (outcome.results.length > 0) plugin.loginfo(outcomeLine(outcome))
    outcomes.record(outcome)
    monitoring.judged(outcome)
  }
  const file = follow(plugin, mainFile, () => configured())
  let core = coreSettings(plugin)
  const monitor = createEventMonitor(() => coreSettings(plugin).outbound.temp_fail_intervals, monitoring)
  const knownCerts = createKnownCertsKeeper(plugin)
  const subscribers = [createEventLog(), createEventRecorder(record), monitor, knownCerts.note]
  const emit = createEmitter(subscribers, (text) => plugin.logcrit(text))
  let current: Snapshot | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosing = false
  let complainedAt = -Infinity
  let warnedOn: string | undefined

  const configured = () => {
    const { settings } = file
    core = coreSettings(plugin)
    if (settings === undefined) return
    outcomes.use(settings.store)
    knownCerts.use(settings)
    useMonitor(plugin, settings.store)
    if (current === undefined) return
    const outgoing = current
    current = createSnapshot(plugin, settings, core, emit)
    outgoing.release()
    if (timer === undefined) return
    startSnapshot(current)
    if (current.resolver !== outgoing.resolver) testResolver()
  }

  const hasChanged = () => {
    const now = coreSettings(plugin)
    return core.outbound !== now.outbound || core.outboundTls !== now.outboundTls || core.tls !== now.tls
  }

  const settingsNow = () => {
    if (hasChanged()) {
      core = coreSettings(plugin)
      file.reread()
    }
    if (file.settings === undefined) complain()
    return file.settings
  }

  const snapshot = () => {
    const now = settingsNow()
    if (now === undefined) return undefined
    current ??= createSnapshot(plugin, now, core, emit)
    return current
  }

  const acquire = () => {
    const acquired = snapshot()
    acquired?.use()
    if (isClosing) dismiss() // so that nothing outlives the delivery
    return acquired
  }

  const dismiss = () => {
    current?.release()
    current = undefined
  }

  const complain = () => {
    if (performance.now() - complainedAt < MINUTE) return
    complainedAt = performance.now()
    plugin.logcrit(`no mail is delivered until the configuration is mended: ${file.errors.join(' | ')}`)
  }

  const testResolver = () => {
    const tested = snapshot()
    void tested?.resolver.selfTest().then((health) => tellHealth(plugin, health, tested.settings.main))
  }

  const hourly = () => {
    testResolver()
    const today = new Date().toISOString().slice(0, 10)
    if (file.settings !== undefined && today !== warnedOn) warnOfExpiry(plugin, file.settings)
    warnedOn = today
  }

  const net = plugin.haraka_require('outbound').net_utils
  configured()
  return {
    settings: settingsNow,
    acquire,
    get errors() {
      return file.errors
    },
    ...{ emit, knownCerts },
    HarakaMx: net.HarakaMx,
    addresses: createOwnAddresses(net),
    get outbound() {
      return coreSettings(plugin).outbound
    },
    start() {
      timer ??= setInterval(hourly, HOUR).unref()
      hourly()
      outcomes.start()
      if (current !== undefined) startSnapshot(current)
    },
    close() {
      clearInterval(timer)
      isClosing = true
      outcomes.close()
      knownCerts.close()
      void flushMonitor()
      void current?.sts.stop()
      dismiss()
    },
  }
}

/** Exemptions are meant to end: one WARN a day from seven days before. */
function warnOfExpiry(plugin: Plugin, settings: Settings): void {
  for (const { name, until, reason } of expiringRules(settings, new Date())) {
    const why = reason === undefined ? '' : ` (${reason})`
    plugin.logwarn(`[rule:${name}]${why} stops matching at 00:00 UTC on ${until.toISOString().slice(0, 10)}`)
  }
}

/** What the rules may ask about a message. */
export function deliveryFacts(
  hmail: HMailItem,
  lastErrors: ReadonlySet<Concern>,
  route: DeliveryFacts['route'],
): DeliveryFacts {
  const { domain, mail_from } = envelopeOf(hmail)
  const { user, host } = mail_from
  const sender = user === null || user === '' ? '' : `${user}@${host ?? ''}`
  const senderDomain = sender === '' ? '' : (host ?? '')
  return { recipientDomain: domain, sender, senderDomain, retryNumber: hmail.num_failures, lastErrors, route }
}

/** The planner for one attempt of one message. */
export function plannerFor(
  message: DeliveredMessage & { readonly engine: Pick<Engine, 'emit'> },
  { settings, resolver, sts, givenUp }: Snapshot,
  attempt: Pick<PlannerInput, 'facts' | 'onlyAttempt' | 'request' | 'isOwn'>,
): Planner {
  return createPlanner({
    ...attempt,
    settings,
    lookup: resolver.lookup,
    givenUp,
    stsPolicyFor: async (policyDomain) => {
      const evidence = await sts.policyFor(policyDomain)
      message.engine.emit({ type: 'sts-policy-looked-up', message, domain: policyDomain, evidence })
      return evidence
    },
    now: new Date(),
    random: Math.random,
  })
}
