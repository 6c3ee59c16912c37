/**
 * What all deliveries of this process share: settings, resolver, TLS contexts. Made when first needed, made anew when
 * the configuration changes; a delivery under way goes on with what it began with.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { HMailItem, NetUtils, Plugin } from '../haraka'
import { createPatience, createTlsOptions, type Patience, type Planner, type TlsOptionsFor } from '../lib/delivery'
import {
  believesAd,
  createResolver,
  describeServer,
  readResolvConf,
  type Resolver,
  type ResolverHealth,
} from '../lib/dns'
import type { SessionOutcome } from '../lib/outcomes'
import type { Concern } from '../lib/policy'
import { expiringRules, settingsFor, type DeliveryFacts, type Settings } from '../lib/settings'
import { FILE, harakaParts, presentsClientCertificates, readConfiguration, readTrustAnchors } from './configuration'
import type { HarakaParts } from './configuration'

/** Signed names that a validating resolver answers with AD, unless `self-test` names others. */
const SELF_TEST = ['org', 'nlnetlabs.nl']
const HOUR = 3_600_000
const MINUTE = 60_000

/** What one attempt works with, from its beginning to its end. */
export interface Snapshot {
  readonly settings: Settings
  readonly resolver: Resolver
  readonly patience: Patience
  readonly tlsOptionsFor: TlsOptionsFor
}

export interface Engine {
  /** Undefined: the configuration cannot be read, nothing may be delivered. Says so once a minute. */
  snapshot(): Snapshot | undefined
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  readonly HarakaMx: NetUtils['HarakaMx']
  /** Whether an address is this machine's own. The answer is kept for a minute: core asks the world each time. */
  isLocal(address: string): Promise<boolean>
  /** Ends one session's story. */
  record(outcome: SessionOutcome): void
  /** Tests the resolver now and every hour. */
  start(): void
  close(): void
}

export function createEngine(plugin: Plugin, record: (outcome: SessionOutcome) => void): Engine {
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
    for (const error of errors) plugin.logcrit(error)
    if (errors.length > 0 && before !== undefined) plugin.logcrit(`${FILE}: the last good settings stay in force`)
    for (const warning of read.warnings) plugin.logwarn(warning)
    settings = read.settings
    if (settings === before || settings === undefined || current === undefined) return
    const outgoing = current
    current = createSnapshot(plugin, settings, parts, outgoing)
    if (current.resolver === outgoing.resolver) return
    closeLater(outgoing.resolver)
    testResolver()
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
    current ??= createSnapshot(plugin, settings, parts ?? harakaParts(plugin))
    return current
  }

  const complain = () => {
    if (performance.now() - complainedAt < MINUTE) return
    complainedAt = performance.now()
    plugin.logcrit(`no mail is delivered until the configuration is mended: ${errors.join(' | ')}`)
  }

  const testResolver = () => {
    const tested = snapshot()?.resolver
    void tested?.selfTest().then((health) => sayHealth(plugin, health))
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
      hourly()
      timer ??= setInterval(hourly, HOUR).unref()
    },
    close() {
      clearInterval(timer)
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

/** Deliveries that began before a reload still ask this resolver: it goes when the last of them surely has ended. */
function closeLater(resolver: Resolver): void {
  setTimeout(() => resolver.close(), HOUR).unref()
}

/** @param before - its resolver, and what it has in its cache, goes on as long as `[dns]` is the same */
function createSnapshot(plugin: Plugin, settings: Settings, parts: HarakaParts, before?: Snapshot): Snapshot {
  const keeps = before !== undefined && isDeepStrictEqual(before.settings.dns, settings.dns)
  const { key, cert, ciphers } = parts.outboundTls ?? {}
  const client = {
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
    ...(ciphers === undefined ? {} : { ciphers }),
    mutual: presentsClientCertificates(parts.tls),
  }
  return {
    settings,
    resolver: keeps ? before.resolver : resolverFor(plugin, settings),
    patience: keeps ? before.patience : createPatience(settings.dns.timeout, () => performance.now()),
    tlsOptionsFor: createTlsOptions(client, (file) => readTrustAnchors(plugin, file)),
  }
}

function resolverFor(plugin: Plugin, { dns }: Settings): Resolver {
  const system = readResolvConf(readOrEmpty('/etc/resolv.conf'))
  const servers = dns.resolvers ?? system.servers
  // what resolv.conf says of its own servers says nothing of an explicit list
  const { trust, because } = believesAd(dns.trustAd, servers, dns.resolvers === undefined && system.trustAd)
  const names = servers.map(describeServer).join(', ')
  const said = `DNS: ${names}; their AD bit is ${trust ? 'believed' : 'not believed, so DANE is unavailable'}: ${because}`
  if (trust) plugin.loginfo(said)
  else plugin.logwarn(said)
  return createResolver({
    servers,
    trustAd: trust,
    timeout: dns.timeout,
    attempts: dns.attempts,
    cacheSize: dns.cacheSize,
    selfTestNames: dns.selfTest ?? SELF_TEST,
  })
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function sayHealth(plugin: Plugin, { trustAd, validates, secureAnswers, servers }: ResolverHealth): void {
  const seen = servers.map(({ text }) => text).join(' | ')
  if (!trustAd) return plugin.logwarn(`DNS self-test: AD is not believed (trust-ad), so DANE is unavailable: ${seen}`)
  if (!secureAnswers)
    return plugin.logerror(`DNS self-test failed, DANE is unavailable until the resolver validates: ${seen}`)
  if (!validates) return plugin.logwarn(`DNS self-test had no answer, which shows nothing: ${seen}`)
  plugin.loginfo(`DNS self-test passed: ${seen}`)
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

/** The planner for one attempt of one message. */
export function plannerFor(snapshot: Snapshot, facts: DeliveryFacts, onlyAttempt: boolean): Planner {
  const { settings, resolver, patience } = snapshot
  const now = new Date()
  return {
    lookup: resolver.lookup,
    stsPolicyFor: undefined,
    settingsFor: (mx, trust) => settingsFor(settings, facts, mx, now, trust),
    patience,
    mxPort: settings.main.smtpPort,
    family: settings.haraka.inetPrefer,
    random: Math.random,
    mayRelax: onlyAttempt || (facts.retryNumber > 0 && facts.lastErrors.has('tls')),
  }
}
