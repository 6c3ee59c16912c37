/**
 * The guard: a few methods of one HMailItem, replaced on the instance, synchronously, before anything is looked up.
 *
 * Hooks alone are not fail-closed: other plugins may override a denial, and a hook that throws or times out makes core
 * deliver by plain DNS. Core calls these methods through `this`, with the same signatures since 3.0.4, so that from
 * `send_email` on nothing reaches a socket but through here. They are installed once: a retry is the same instance.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { HarakaMx, HMailItem, PluggableSocket } from '../runtime/haraka'
import type { StsPolicy } from '../lib/mta-sts'
import {
  candidatesOf,
  isSkipped,
  isTarget,
  leaveToNextAttempt,
  localAddress,
  lostConnection,
  newDelivery,
  nextAfter,
  noConnection,
  nullMx,
  planDomain,
  planStaticHost,
  refuse,
  unusableHost,
  type PlannedHost,
  type Planner,
  type Skipped,
} from '../lib/delivery'
import { toAsciiDomain } from '../lib/dns'
import type { Concern, DomainEvidence } from '../lib/policy'
import type { Candidate, Delivery, Target } from './candidates'
import { deliveryFacts, plannerFor, type Engine } from './engine'
import { bounceUndeliverable, clearFacts, defer, failForNow, failure, giveUp, unconfigured } from './ending'
import { recipientDomainOf } from './envelope'
import { endAttempt, safely, type Core, type Guarded } from './guarded'
import { runSession } from './session'
import type { Snapshot } from './snapshot'
import { isLeftAlone, isNullMx, readRouteHost, staticHostOf, type RouteHost } from './static-route'
import { readTlsRequest, tlsRequestOf } from './tls-request'

const guarded = new WeakSet<HMailItem>()

/** Installs the guard on a message. Must be called before anything else touches its delivery. */
export function installGuard(hmail: HMailItem, engine: Engine): void {
  if (guarded.has(hmail)) return
  guarded.add(hmail)
  const core: Core = {
    get_mx_respond: hmail.get_mx_respond.bind(hmail),
    try_deliver: hmail.try_deliver.bind(hmail),
    try_deliver_host_on_socket: hmail.try_deliver_host_on_socket.bind(hmail),
    temp_fail: hmail.temp_fail.bind(hmail),
    delivered: hmail.delivered.bind(hmail),
  }
  const guard: Guarded = {
    hmail,
    isReport: readTlsRequest(hmail) === 'tls-report',
    core,
    engine,
    snapshot: undefined,
    named: undefined,
    delivery: undefined,
    lastErrors: new Set(),
    appliedPolicies: new Map(),
    askedForNewPolicy: false,
    isRequireTlsWaived: false,
  }

  // No plugin answered the hook, or its answer was overridden: core would now look up the MX by plain DNS
  hmail.get_mx_respond = (code, mx) => {
    const isAnswered = code === constants.ok || code === constants.deny || code === constants.denysoft
    const isForCore = isAnswered && !(code === constants.ok && mx === undefined)
    guard.isRequireTlsWaived = false
    guard.askedForNewPolicy = false
    return orDefer(guard, () => (isForCore ? core.get_mx_respond(code, mx) : begin(guard)))
  }
  hmail.found_mx = (mxs) => orDefer(guard, () => begin(guard, mxs))
  hmail.try_deliver = () => orDefer(guard, () => next(guard))
  hmail.try_deliver_host_on_socket = (mx, host, port, socket) => connected(guard, mx, host, port, socket)
  // tls.ini's force_tls_hosts is among our settings, and core would defer the message where we try the next host
  hmail.get_force_tls = () => false
  hmail.temp_fail = (error, extra) => {
    if (guard.delivery !== undefined) guard.lastErrors = new Set([...concernsOf(guard.delivery), 'smtp'])
    end(guard)
    failForNow(guard, error, extra)
  }
  hmail.delivered = (...facts) => {
    facts[8] ||= guard.delivery?.secured ?? false
    core.delivered(...facts)
  }
  watchEnds(guard)
}

/** Every message ends here: delivered, bounced, or dropped by another plugin. */
function watchEnds(guard: Guarded): void {
  const { hmail } = guard
  const [bounce, discard] = [hmail.bounce.bind(hmail), hmail.discard.bind(hmail)]
  hmail.bounce = (error, options) => {
    end(guard)
    bounce(error, options)
  }
  hmail.discard = () => {
    end(guard)
    discard()
  }
}

function end(guard: Guarded): void {
  safely(guard.hmail, () => endAttempt(guard))
  guard.engine.emit({ type: 'ended', message: guard })
}

/** An error here defers the message. An unhandled rejection would end the process. */
async function orDefer(guard: Guarded, work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    guard.engine.emit({ type: 'failed', message: guard, error })
    defer(guard, failure('the delivery failed within this server; its log says why'))
  }
}

/** Starts an attempt: plans it, and puts its hosts in line. */
async function begin(guard: Guarded, fromElsewhere?: readonly HarakaMx[]): Promise<void> {
  const { hmail, engine } = guard
  endAttempt(guard)
  safely(hmail, () => clearFacts(hmail))
  const snapshot = engine.acquire()
  guard.snapshot = snapshot
  guard.named = fromElsewhere
  if (snapshot === undefined) return defer(guard, unconfigured(engine.errors))
  if (fromElsewhere === undefined) return beginByDns(guard, snapshot)
  if (isNullMx(fromElsewhere)) return bounceUndeliverable(hmail, nullMx(recipientDomainOf(hmail)))
  return beginStatic(guard, snapshot, fromElsewhere)
}

async function beginByDns(guard: Guarded, snapshot: Snapshot): Promise<void> {
  const { hmail } = guard
  const domain = recipientDomainOf(hmail)
  const planner = plannerOf(guard, snapshot, 'mx')
  const plan = await planDomain(planner, domain)
  const name = toAsciiDomain(domain)
  guard.appliedPolicies = new Map(
    name === undefined ? [] : [[name, plan.status === 'hosts' ? plan.domain.sts?.policy : undefined]],
  )

  if (plan.status === 'undeliverable') return bounceUndeliverable(hmail, plan)
  if (plan.status === 'deferred') {
    const { because, bogus } = plan
    guard.engine.emit({ type: 'domain-refused', message: guard, domain: plan.domain, because, bogus })
    return giveUp(guard, [{ host: domain, because }], () => begin(guard))
  }
  const { hosts } = plan
  const queue = hosts.flatMap((host) => targetsOf(guard, host, plan.domain, {}))
  guard.delivery = newDelivery(domain, queue, performance.now())
  return next(guard)
}

/** Hosts that another plugin named: each is planned for by itself, in the order given. */
async function beginStatic(guard: Guarded, snapshot: Snapshot, mxs: readonly HarakaMx[]): Promise<void> {
  const { hmail, engine } = guard
  const applied = new Map<string, StsPolicy | undefined>()
  guard.appliedPolicies = applied
  const planner = plannerOf(guard, snapshot, 'static')
  const hosts = mxs.map((mx) => readRouteHost(mx as Readonly<Record<keyof HarakaMx, unknown>>))
  const queues = await Promise.all(
    hosts.filter(isUsable).map(async (mx): Promise<Candidate[]> => {
      if (isLeftAlone(mx)) return [{ mx: new engine.HarakaMx(mx) }]
      const { host, domain } = await planStaticHost(planner, staticHostOf(mx))
      if (domain.sts !== undefined) applied.set(domain.policyDomain, domain.sts.policy)
      return targetsOf(guard, host, domain, mx)
    }),
  )
  guard.delivery = newDelivery(recipientDomainOf(hmail), queues.flat(), performance.now())
  for (const why of hosts.filter((host) => typeof host === 'string')) {
    const because = unusableHost(why)
    guard.delivery.refusals.push({ host: 'a host that another plugin named', because })
    engine.emit({ type: 'route-refused', message: guard, because })
  }
  return next(guard)
}

function isUsable(host: RouteHost | string): host is RouteHost {
  return typeof host !== 'string'
}

function plannerOf(guard: Guarded, snapshot: Snapshot, route: DomainEvidence['route']): Planner {
  const { hmail, engine, lastErrors } = guard
  const { temp_fail_intervals, local_mx_ok } = engine.outbound
  return plannerFor(guard, snapshot, {
    facts: deliveryFacts(hmail, lastErrors, route),
    onlyAttempt: temp_fail_intervals.length === 0, // no retries to come
    isOwn: local_mx_ok ? undefined : engine.addresses.isOwn,
    request: tlsRequestOf(guard, snapshot.settings),
  })
}

function targetsOf(guard: Guarded, host: PlannedHost, domain: DomainEvidence, mx: Partial<HarakaMx>): Candidate[] {
  const { HarakaMx } = guard.engine
  return candidatesOf(host, domain).map((candidate) => {
    if (isSkipped(candidate)) return candidate
    return { ...candidate, mx: new HarakaMx({ ...mx, exchange: candidate.address, port: host.port }) }
  })
}

/** The next address in line, or the end of the attempt. Core comes here, too, when a connection failed. */
async function next(guard: Guarded): Promise<void> {
  const { hmail, delivery } = guard
  if (delivery === undefined) return defer(guard, failure('nothing was planned for this delivery'))
  noteFailedConnection(delivery)

  for (let candidate = delivery.queue.shift(); candidate !== undefined; candidate = delivery.queue.shift()) {
    if (isSkipped(candidate)) {
      skip(guard, delivery, candidate)
      continue
    }
    if (isTarget(candidate) && leaveToNextAttempt(delivery, candidate, performance.now())) break
    if (isTarget(candidate) && (await isLocal(guard, candidate))) {
      noteLocal(guard, delivery, candidate)
      continue
    }
    delivery.current = candidate
    delivery.connected = false
    delivery.connections += 1
    hmail.mxlist = [candidate.mx]
    return guard.core.try_deliver() // throws for a route to an impossible port, or from what is no address
  }
  return giveUp(guard, delivery.refusals, () => begin(guard, guard.named))
}

function skip(guard: Guarded, delivery: Delivery, { host, domain, because }: Skipped): void {
  delivery.refusals.push({ host: host.name, because })
  guard.engine.emit({ type: 'host-skipped', message: guard, host, domain, because, next: nextAfter(delivery, host) })
}

/** Core says nothing to us when it could not connect, or lost the connection; it just comes for the next host. */
function noteFailedConnection(delivery: Delivery): void {
  const { current, connected } = delivery
  if (!isTarget(current)) return
  refuse(delivery, current, connected ? lostConnection : noConnection)
}

/** Mail that is for this very machine would come back for ever. */
async function isLocal({ engine }: Guarded, { address, domain }: Target): Promise<boolean> {
  if (engine.outbound.local_mx_ok || domain.route === 'static') return false
  return engine.addresses.isLocal(address) || (await engine.addresses.isOwn(address))
}

function noteLocal(guard: Guarded, delivery: Delivery, target: Target): void {
  const because = localAddress(target.address)
  refuse(delivery, target, because)
  guard.engine.emit({
    type: 'address-refused',
    message: guard,
    target,
    because,
    next: nextAfter(delivery, target.host),
  })
}

/** A connection is there: nothing is said on it but what the verdict allows. */
function connected(guard: Guarded, mx: HarakaMx, host: string, port: number, socket: PluggableSocket): void {
  const { core, delivery } = guard
  const target = delivery?.current
  if (delivery === undefined || target?.mx !== mx) {
    socket.removeAllListeners()
    socket.destroy()
    return defer(guard, failure('a connection that was not planned was closed'))
  }
  delivery.connected = true
  socket.targetsocket.setNoDelay?.(true) // core's wrapper ignores it: 44 ms a message, lost to delayed acknowledgements
  if (!isTarget(target)) return core.try_deliver_host_on_socket(mx, host, port, socket)

  void orDefer(guard, async () => {
    try {
      await runSession(guard, delivery, target, socket)
    } catch (error) {
      socket.removeAllListeners()
      socket.destroy()
      throw error
    }
  })
}

function concernsOf({ refusals }: Delivery): Concern[] {
  return refusals.map(({ because }) => because.concern)
}
