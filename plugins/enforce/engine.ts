/**
 * What all deliveries of this process share: settings, resolver, TLS contexts. Made when first needed, made anew when
 * the configuration changes; a delivery under way goes on with what it began with.
 *
 * @module
 */

import type { HMailItem, NetUtils, Plugin } from '../haraka'
import { createPlanner, type Planner, type PlannerInput } from '../lib/delivery'
import { judgeFetch, type SessionOutcome } from '../lib/outcomes'
import type { Concern } from '../lib/policy'
import { expiringRules, type DeliveryFacts, type Settings } from '../lib/settings'
import { MAIN_FILE, tellReading } from '../main-settings'
import { flushMonitor, notes, useMonitor } from '../monitoring'
import { harakaParts, readConfiguration, type HarakaParts } from './configuration'
import { outcomeLine } from './log-lines'
import { createOutcomeKeeper } from './outcomes'
import { tellHealth } from './resolver-health'
import { createSnapshot, retire, startSnapshot, type Snapshot } from './snapshot'

const HOUR = 3_600_000
const MINUTE = 60_000

export interface Engine {
  /** Undefined: the configuration cannot be read, nothing may be delivered. Says so once a minute. */
  snapshot(): Snapshot | undefined
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  readonly HarakaMx: NetUtils['HarakaMx']
  /** Whether an address is this machine's own. The answer is kept for a minute: core asks the world each time. */
  isLocal(address: string): Promise<boolean>
  /** Ends one session's story. */
  readonly record: (outcome: SessionOutcome) => void
  /** Tests the resolver now and every hour. */
  start(): void
  close(): void
}

export function createEngine(plugin: Plugin): Engine {
  const outcomes = createOutcomeKeeper(plugin)
  const record = (outcome: SessionOutcome) => {
    plugin.loginfo(outcomeLine(outcome))
    outcomes.record(outcome)
    notes.judged(outcome)
  }
  let settings: Settings | undefined
  let errors: readonly string[] = []
  let parts: HarakaParts | undefined
  let current: Snapshot | undefined
  let timer: NodeJS.Timeout | undefined
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
    retire(outgoing, current)
    if (timer === undefined) return
    startSnapshot(current)
    if (current.resolver !== outgoing.resolver) testResolver()
  }

  const hasChanged = () => {
    const now = harakaParts(plugin)
    return parts?.outbound !== now.outbound || parts.outboundTls !== now.outboundTls || parts.tls !== now.tls
  }

  const snapshot = () => {
    if (hasChanged()) reload()
    if (settings === undefined) {
      complain()
      return undefined
    }
    current ??= createSnapshot(plugin, settings, parts ?? harakaParts(plugin), record)
    return current
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
    snapshot,
    get errors() {
      return errors
    },
    record,
    HarakaMx: net.HarakaMx,
    isLocal: rememberedFor(MINUTE, (address) => net.is_local_host(address)),
    start() {
      timer ??= setInterval(hourly, HOUR).unref()
      hourly()
      outcomes.start()
      if (current !== undefined) startSnapshot(current)
    },
    close() {
      clearInterval(timer)
      outcomes.close()
      void flushMonitor()
      void current?.sts.close()
      current?.resolver.close()
      current = undefined
    },
  }
}

/** Asks once in a while, and is asked for few addresses: those of MX hosts. */
function rememberedFor(
  milliseconds: number,
  ask: (key: string) => Promise<boolean>,
): (key: string) => Promise<boolean> {
  const MAX_REMEMBERED = 1000
  const answers = new Map<string, { readonly answer: Promise<boolean>; readonly until: number }>()
  return (key) => {
    const known = answers.get(key)
    if (known !== undefined && known.until > performance.now()) return known.answer
    if (answers.size >= MAX_REMEMBERED) answers.clear()
    const answer = ask(key)
    answers.set(key, { answer, until: performance.now() + milliseconds })
    return answer
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
  const { domain, mail_from } = hmail.todo
  const { user, host } = mail_from
  const sender = user === null || user === '' ? '' : `${user}@${host ?? ''}`
  const senderDomain = sender === '' ? '' : (host ?? '')
  return { recipientDomain: domain, sender, senderDomain, retryNumber: hmail.num_failures, lastErrors, route }
}

/** One attempt of one message. */
export interface AttemptFacts extends Pick<PlannerInput, 'facts' | 'onlyAttempt' | 'wish'> {
  readonly record: (outcome: SessionOutcome) => void
}

/** The planner for one attempt of one message. */
export function plannerFor({ settings, resolver, sts }: Snapshot, { record, ...attempt }: AttemptFacts): Planner {
  const now = new Date()
  return createPlanner({
    ...attempt,
    settings,
    lookup: resolver.lookup,
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
