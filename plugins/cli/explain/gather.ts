/**
 * Finds out what a delivery would find out: with the same settings, sources and plan, and without changing anything.
 *
 * @module
 */

import { networkInterfaces } from 'node:os'
import {
  createDnsResolver,
  createPlanner,
  createStsFetch,
  isLoopback,
  isOwnAddress,
  plainAddress,
  planDomain,
  planStaticHost,
  effectiveTlsRequest,
  type NameServers,
  type Plan,
  type Planner,
} from '../../lib/delivery'
import type { KnownCertificate } from '../../lib/certificates'
import type { Lookup, Resolver, ResolverHealth } from '../../lib/dns'
import { createStsResolver, readOnlyCache } from '../../lib/mta-sts'
import type { ListedPolicy, StsCache, StsEvidence, StsResolver } from '../../lib/mta-sts'
import { settingsFor, type HostSettings } from '../../lib/settings'
import type { Done } from '../../lib/store'
import type { World } from '../command'
import { nameServersHere } from '../../runtime/runtime'
import { createKnownCerts, createPolicyCache } from '../../runtime/stores'
import { instanceStoreContext, readTrustAnchors, type Defaults, type Instance } from '../instance'
import { keepAnswers, type Answers } from './answers'
import type { Message } from './message'

/** All that a delivery of this message would know before it connects to anybody. */
export interface Evidence {
  readonly at: Date
  readonly message: Message
  readonly instance: Instance | Defaults
  /** what the settings come to before any host is known */
  readonly settings: HostSettings
  readonly nameServers: NameServers
  readonly health: ResolverHealth
  readonly answers: Answers
  /** undefined: not looked up */
  readonly sts: StsEvidence | undefined
  /** what the cache of the instance has of the domain, or why it cannot be read: a delivery goes on without it, too */
  readonly cached: Done<ListedPolicy | undefined>
  readonly plan: Plan
  /** the certificates that were accepted although they are not valid, by host, where a first attempt accepts them */
  readonly known: ReadonlyMap<string, readonly KnownCertificate[]>
  /** whether no mail may go to an address, since it is this machine's own */
  readonly isLocal: (address: string) => boolean
}

/** Gathers the evidence, has `work` use it while its sources are open, and closes them. */
export async function withEvidence<Result>(
  world: World,
  instance: Instance | Defaults,
  message: Message,
  work: (evidence: Evidence) => Promise<Result>,
): Promise<Result> {
  const nameServers = nameServersHere(instance.settings.dns)
  const resolver = createDnsResolver(instance.settings.dns, nameServers)
  const answers = keepAnswers(resolver.lookup)
  const cache = openCache(instance)
  const sts = stsResolverFor(instance, answers, cache, world)
  try {
    const { recipientDomain } = message.facts
    const listed = await cache.listPolicies(recipientDomain)
    const sources = { nameServers, resolver, answers, sts }
    const evidence = await gather(world, instance, message, sources)
    const known = await knownOf(instance, evidence.plan)
    return await work({ ...evidence, known, cached: listed.ok ? { ok: true, value: listed.value[0] } : listed })
  } finally {
    await sts.close()
    resolver.close()
  }
}

interface Sources {
  readonly nameServers: NameServers
  readonly resolver: Resolver
  readonly answers: Answers
  readonly sts: StsResolver
}

async function gather(
  world: World,
  instance: Instance | Defaults,
  message: Message,
  { nameServers, resolver, answers, sts }: Sources,
): Promise<Omit<Evidence, 'cached' | 'known'>> {
  const at = new Date(world.now())
  const { settings, sending } = instance
  const { facts } = message
  world.progress('Testing the name servers ...')
  const health = await resolver.selfTest() // as workers do: what it shows decides whether answers can be secure

  world.progress(`Looking up ${facts.recipientDomain} ...`)
  const own = await ownAddresses(instance, message, resolver.lookup)
  let stsEvidence: StsEvidence | undefined
  const planner = createPlanner({
    settings,
    facts,
    lookup: answers.lookup,
    givenUp: new Set(),
    stsPolicyFor: async (policyDomain) => (stsEvidence = await sts.policyFor(policyDomain)),
    onlyAttempt: sending.onlyAttempt,
    now: at,
    request: effectiveTlsRequest(message.request, settings),
    isOwn: own === undefined ? undefined : (address) => Promise.resolve(isOwnAddress(own, address)),
    random: () => 0, // hosts of one preference are shuffled for a delivery, not for those who read about it
  })
  const plan = await planFor(planner, message)
  const decided = settingsFor(settings, facts, undefined, at)
  const isLocal = (address: string) => own !== undefined && isLocalAddress(own, plainAddress(address))
  return { at, message, instance, settings: decided, nameServers, health, answers, sts: stsEvidence, plan, isLocal }
}

/** The addresses that core takes for this machine's: of its interfaces, of its name, and what smtp.ini says. Undefined: mail may come back. */
async function ownAddresses(
  { settings, sending }: Instance | Defaults,
  { route }: Message,
  lookup: Lookup,
): Promise<ReadonlySet<string> | undefined> {
  if (settings.haraka.localMxOk || route !== undefined) return undefined
  const ofName = await Promise.all([lookup(sending.helo, 'A'), lookup(sending.helo, 'AAAA')])
  const own = [
    ...Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)),
    ...ofName.flatMap((answer) => (answer.status === 'found' ? answer.records : [])),
    sending.publicIp ?? '',
  ]
  return new Set(own.map(plainAddress))
}

function isLocalAddress(own: ReadonlySet<string>, plain: string): boolean {
  return own.has(plain) || isLoopback(plain) || plain.startsWith('169.254.')
}

async function planFor(planner: Planner, { facts, route }: Message): Promise<Plan> {
  if (route === undefined) return planDomain(planner, facts.recipientDomain)
  const { domain, host } = await planStaticHost(planner, route)
  return { status: 'hosts', domain, hosts: [host] }
}

/** The policies that the instance's workers keep, to be looked at. Before they have made a file there are none. */
function openCache(instance: Instance | Defaults): StsCache {
  if (instance.folder === undefined) return readOnlyCache(undefined)
  const { store } = instance.settings
  const context = { ...instanceStoreContext(instance), readOnly: true }
  return readOnlyCache(createPolicyCache(store, context))
}

async function knownOf(instance: Instance | Defaults, plan: Plan): Promise<Evidence['known']> {
  const { store, main } = instance.settings
  const hosts = plan.status === 'hosts' && plan.domain.route !== 'static' ? plan.hosts : []
  const asked = hosts.filter(({ verdict }) => verdict.action === 'attempt' && verdict.isWaivedNext)
  if (instance.folder === undefined || main.knownCerts === 0 || asked.length === 0) return new Map()
  const certs = createKnownCerts(store, { ...instanceStoreContext(instance), readOnly: true })
  try {
    const found = await Promise.all(asked.map(({ name }) => certs.find(name, main.knownCerts)))
    return new Map(asked.map(({ name }, index) => [name, valueOf(found[index])]))
  } finally {
    certs.end()
  }
}

/** What cannot be read is not known: as for a delivery. */
function valueOf(found: Done<readonly KnownCertificate[]> | undefined): readonly KnownCertificate[] {
  return found?.ok === true ? found.value : []
}

function stsResolverFor(
  { folder, settings }: Instance | Defaults,
  { lookup }: Answers,
  cache: StsCache,
  { now }: World,
): StsResolver {
  return createStsResolver({
    lookup,
    fetch: createStsFetch(settings, { lookup }, (file) => readTrustAnchors(folder, file)),
    cache,
    log: () => undefined,
    refresh: settings.mtaSts.refresh,
    timeout: settings.main.mtaStsTimeout,
    now,
  })
}
