/**
 * What would become of the message: as far as the evidence tells, or as a probe has shown.
 *
 * @module
 */

import {
  candidatesOf,
  deferralOf,
  followCourse,
  isSkipped,
  isTarget,
  localAddress,
  probeTarget,
  replyText,
  sessionLine,
  undeliverableStatus,
  type Deferral,
  type PlannedHost,
  type ProbeTerms,
  type HostRefusal,
  type Session,
  type Skipped,
  type Target,
} from '../../lib/delivery'
import { decideHost, type Reason, type ReasonCode } from '../../lib/policy'
import type { Evidence } from './gather'

export type Level = 'verified' | 'trusted' | 'untrusted' | 'clear-text'

export type Outlook =
  /** these hosts would be tried, in this order */
  | { readonly action: 'try'; readonly hosts: readonly PlannedHost[] }
  /** this one would be given the message */
  | {
      readonly action: 'deliver'
      readonly session: Session
      readonly level: Level
      /** as the log has it */
      readonly text: string
    }
  | {
      readonly action: 'defer' | 'bounce'
      /** undefined: the server's own */
      readonly status: string | undefined
      readonly text: string
      /** nothing but lookups that failed stands in the way */
      readonly lookupFailed: boolean
      /** whether the message would ever arrive; undefined: it bounces now, or a server decides */
      readonly later: string | undefined
    }

/** A message and its hosts, in line. */
interface Line {
  readonly domain: string
  readonly candidates: readonly (Target | Skipped)[]
}

/** What the evidence alone says. */
export function outlookOf(evidence: Evidence): Outlook {
  const line = lineOf(evidence)
  if ('action' in line) return line
  const { domain, candidates } = line
  const isTried = (one: Target | Skipped): one is Target => isTarget(one) && !evidence.isLocal(one.address)
  const tried = candidates.filter(isTried)
  if (tried.length > 0) return { action: 'try', hosts: [...new Set(tried.map(({ host }) => host))] }
  const refusals = candidates.map((one) =>
    isSkipped(one)
      ? { host: one.host.name, because: one.because }
      : { host: `${one.host.name}[${one.address}]`, because: localAddress(one.address) },
  )
  return deferred(deferralOf(domain, refusals), refusals)
}

export interface Probe {
  /** in the order of the plan */
  readonly sessions: readonly Session[]
  readonly outlook: Outlook
}

/** Connections at a time. */
const AT_ONCE = 8

/** Opens a session with every host, and says where a delivery would have ended. */
export async function probe(
  evidence: Evidence,
  terms: ProbeTerms,
  tell: (done: number, of: number) => void,
): Promise<Probe> {
  const line = lineOf(evidence)
  if ('action' in line) return { sessions: [], outlook: line }
  const { domain, candidates } = line
  const sessions = new Map<string, Session>()
  const meet = async (target: Target): Promise<Session> => {
    const key = keyOf(target)
    const session = sessions.get(key) ?? (await probeTarget(terms, target))
    sessions.set(key, session)
    return session
  }

  const targets = candidates.flatMap((one) => (isSkipped(one) ? outOfCuriosity(evidence, one) : [one]))
  const families = familiesOf(targets)
  let done = 0
  const waiting = [...families]
  const worker = async (): Promise<void> => {
    for (let family = waiting.shift(); family !== undefined; family = waiting.shift()) {
      tell(done, families.length)
      for (const target of family) if ((await meet(target)).met.status === 'opened') break
      done += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))

  const end = await followCourse(domain, candidates, meet)
  const order = new Map(targets.map((target, index) => [placeOf(target), index]))
  const place = ({ target }: Session) => order.get(placeOf(target)) ?? 0
  return { sessions: [...sessions.values()].toSorted((a, b) => place(a) - place(b)), outlook: outlookAt(end) }
}

function outlookAt(end: Awaited<ReturnType<typeof followCourse>>): Outlook {
  if (end.status === 'deferred') return deferred(end.deferral, end.refusals)
  if (end.status === 'delivered') return delivered(end.session)
  const text = `${end.session.target.host.name} answered ${replyText(end.reply)}`
  return {
    action: end.reply.code < 500 ? 'defer' : 'bounce',
    status: undefined,
    text,
    lookupFailed: false,
    later: undefined,
  }
}

function delivered(session: Session): Outlook {
  const { target, verdict, met } = session
  if (met.status !== 'opened' || met.opening.status !== 'open') throw new Error('a session that is not open')
  const { starttls } = met.opening
  const level = starttls.status === 'done' ? levels[starttls.judgement.level] : 'clear-text'
  return { action: 'deliver', session, level, text: sessionLine(target, verdict, met.opening) }
}

const levels = { Verified: 'verified', Trusted: 'trusted', Untrusted: 'untrusted' } as const

/** The hosts in line, or what becomes of the message without any. */
function lineOf({ plan, message }: Evidence): Line | Outlook {
  const domain = message.facts.recipientDomain
  if (plan.status === 'undeliverable') {
    return {
      action: 'bounce',
      status: undeliverableStatus[plan.why],
      text: plan.text,
      lookupFailed: false,
      later: undefined,
    }
  }
  if (plan.status === 'deferred') {
    const refusals = [{ host: domain, because: plan.because }]
    return deferred(deferralOf(domain, refusals), refusals)
  }
  return { domain, candidates: plan.hosts.flatMap((host) => candidatesOf(host, plan.domain)) }
}

const FAILED_LOOKUPS: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'mx-lookup-failed',
  'address-lookup-failed',
  'tlsa-lookup-failed',
  'sts-unavailable',
])

function deferred({ status, text, isWaivedNext }: Deferral, refusals: readonly HostRefusal[]): Outlook {
  const isFailure = ({ because }: { readonly because: Reason }) => FAILED_LOOKUPS.has(because.code)
  const lookupFailed = refusals.length > 0 && refusals.every(isFailure)
  if (status.startsWith('5')) return { action: 'bounce', status, text, lookupFailed, later: undefined }
  return { action: 'defer', status, text, lookupFailed, later: laterText(isWaivedNext, lookupFailed) }
}

/** The end of the story. */
function laterText(isWaivedNext: boolean, lookupFailed: boolean): string {
  if (isWaivedNext)
    return 'The next attempt accepts such a certificate and delivers the message (relax-after-tls-failure).'
  if (lookupFailed)
    return 'It goes at the first attempt at which the lookups succeed; if none does, it bounces at the end.'
  return 'While this is so, no later attempt ends otherwise: the message bounces after its last one.'
}

/** A host that no delivery would come to is talked to as under an audit, to see what it is like. */
function outOfCuriosity({ message }: Evidence, { host, domain }: Skipped): readonly Target[] {
  const attempt = { credentials: message.route?.credentials ?? false, mayRelax: false }
  const settings = { ...host.verdict.settings, audit: true }
  const verdict = decideHost({ settings, domain, host: host.evidence, attempt })
  return candidatesOf({ ...host, verdict }, domain)
    .filter(isTarget)
    .map((target) => ({ ...target, host }))
}

/** Whether a session was only opened to see what the host is like: its verdict is not to try it. */
export function isCuriosity({ target }: Session): boolean {
  return target.host.verdict.action === 'skip'
}

/** The targets of each host in the order of a delivery, those of IPv4 and of IPv6 by themselves. */
function familiesOf(targets: readonly Target[]): readonly (readonly Target[])[] {
  const families = Map.groupBy(targets, ({ host, address }) => `${host.name} ${address.includes(':') ? 6 : 4}`)
  return [...families.values()]
}

function placeOf({ host, address }: Target): string {
  return `${host.name} ${address}`
}

function keyOf(target: Target): string {
  return `${placeOf(target)} ${target.host.evidence.tlsa.status} ${target.afterFailure === undefined ? '' : 'in clear'}`
}
