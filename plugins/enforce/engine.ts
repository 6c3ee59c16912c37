/**
 * What all deliveries of this process share: settings, resolver, TLS contexts. Made when first needed, made anew when
 * the configuration changes; a delivery under way goes on with what it began with.
 *
 * @module
 */

import type { HMailItem, NetUtils, OutboundConfig, Plugin } from '../haraka'
import { createPlanner, type Planner, type PlannerInput } from '../lib/delivery'
import { judgeFetch, type SessionOutcome } from '../lib/outcomes'
import type { Concern } from '../lib/policy'
import { expiringRules, type DeliveryFacts, type Settings } from '../lib/settings'
import { MAIN_FILE, tellReading } from '../main-settings'
import { flushMonitor, notes, useMonitor } from '../monitoring'
import { harakaParts, readConfiguration, type HarakaParts } from './configuration'
import { envelopeOf } from './envelope'
import { outcomeLine } from './log-lines'
import { createOutcomeKeeper } from './outcomes'
import { createOwnAddresses, type OwnAddresses } from './own-addresses'
import { tellHealth } from './resolver-health'
import { createSnapshot, startSnapshot, type Snapshot } from './snapshot'

const HOUR = 3_600_000
const MINUTE = 60_000

export interface Engine {
  /** Undefined: the configuration cannot be read, nothing may be delivered. Says so once a minute. */
  settings(): Settings | undefined
  /** What an attempt works with, which has to release it. Undefined as above. */
  acquire(): Snapshot | undefined
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  readonly HarakaMx: NetUtils['HarakaMx']
  readonly addresses: OwnAddresses
  /** outbound.ini as core has it at this moment; what hmail.cfg says is as old as the item */
  readonly outbound: OutboundConfig
  /** Ends one session's story. */
  readonly record: (outcome: SessionOutcome) => void
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
    notes.judged(outcome)
  }
  let settings: Settings | undefined
  let errors: readonly string[] = []
  let parts: HarakaParts | undefined
  let current: Snapshot | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosing = false
  let complainedAt = -Infinity
  let warnedOn: string | undefined

  const reload = () => {
    const before = settings
    const read = readConfiguration(plugin, before, reload)
    parts = harakaParts(plugin)
    errors = read.errors
    tellReading(plugin, MAIN_FILE, read, before !== undefined)
    settings = read.settings
    if (settings !== undefined) {
      outcomes.use(settings.store)
      useMonitor(plugin, settings.store)
    }
    if (settings === before || settings === undefined || current === undefined) return
    const outgoing = current
    current = createSnapshot(plugin, settings, parts, record, outgoing)
    outgoing.release()
    if (timer === undefined) return
    startSnapshot(current)
    if (current.resolver !== outgoing.resolver) testResolver()
  }

  const hasChanged = () => {
    const now = harakaParts(plugin)
    return parts?.outbound !== now.outbound || parts.outboundTls !== now.outboundTls || parts.tls !== now.tls
  }

  const settingsNow = () => {
    if (hasChanged()) reload()
    if (settings === undefined) complain()
    return settings
  }

  const snapshot = () => {
    const now = settingsNow()
    if (now === undefined) return undefined
    current ??= createSnapshot(plugin, now, parts ?? harakaParts(plugin), record)
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
    plugin.logcrit(`no mail is delivered until the configuration is mended: ${errors.join(' | ')}`)
  }

  const testResolver = () => {
    const tested = snapshot()
    void tested?.resolver.selfTest().then((health) => tellHealth(plugin, health, tested.settings.main))
  }

  const hourly = () => {
    testResolver()
    const today = new Date().toISOString().slice(0, 10)
    if (settings !== undefined && today !== warnedOn) warnOfExpiry(plugin, settings)
    warnedOn = today
  }

  const net = plugin.haraka_require('outbound').net_utils
  reload()
  return {
    settings: settingsNow,
    acquire,
    get errors() {
      return errors
    },
    record,
    HarakaMx: net.HarakaMx,
    addresses: createOwnAddresses(net),
    get outbound() {
      return harakaParts(plugin).outbound
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

/** One attempt of one message. */
export interface AttemptFacts extends Pick<PlannerInput, 'facts' | 'onlyAttempt' | 'wish' | 'isOwn'> {
  readonly record: (outcome: SessionOutcome) => void
}

/** The planner for one attempt of one message. */
export function plannerFor(
  { settings, resolver, sts, givenUp }: Snapshot,
  { record, ...attempt }: AttemptFacts,
): Planner {
  const now = new Date()
  return createPlanner({
    ...attempt,
    settings,
    lookup: resolver.lookup,
    givenUp,
    stsPolicyFor: async (policyDomain) => {
      const evidence = await sts.policyFor(policyDomain)
      notes.count('stsPolicies', { source: evidence.source ?? evidence.status })
      if (evidence.fetchFailure !== undefined) record(judgeFetch(now, policyDomain, evidence.fetchFailure.type))
      return evidence
    },
    now,
    random: Math.random,
  })
}
