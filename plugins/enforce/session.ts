/**
 * One connection: opens the session as the verdict says, then hands it to core, or closes it and goes on.
 *
 * @module
 */

import type { PluggableSocket } from '../haraka'
import {
  describeTarget,
  isLastWord,
  isTriedInClear,
  judgeTarget,
  lastWord,
  openSession,
  refusalLine,
  refuse,
  retryInClear,
  sessionLine,
  verdictFor,
  waiver,
  type Opening,
  type SmtpSocket,
} from '../lib/delivery'
import { judgeSession, judgeSkip, type Negotiation, type SessionOutcome } from '../lib/outcomes'
import type { AttemptVerdict, Reason } from '../lib/policy'
import type { Delivery, Target } from './candidates'
import type { Guarded } from './guarded'
import { letGo, prepareForCore, tell } from './handover'
import type { Trail } from './trail'

export async function runSession(
  guard: Guarded,
  delivery: Delivery,
  target: Target,
  socket: PluggableSocket,
): Promise<void> {
  const { hmail, snapshot } = guard
  if (snapshot === undefined) throw new Error('no settings')
  const verdict = verdictFor(target)
  if (verdict.warning !== undefined) hmail.logwarn(verdict.warning)
  if (verdict.wouldSkip !== undefined)
    hmail.logwarn(refusalLine(describeTarget(target), delivery.domain, verdict.wouldSkip, triedAllTheSame(verdict)))

  const plain = socket.targetsocket
  const addresses = { local: plain.localAddress, remote: plain.remoteAddress }
  const opening = await openSession(smtpSocket(socket), {
    verdict,
    verb: target.mx.using_lmtp === true ? 'LHLO' : 'EHLO',
    helo: target.mx.bind_helo ?? 'localhost',
    replyTimeout: Number(guard.engine.outbound.connect_timeout) * 1000,
    tlsOptions: () => snapshot.tlsOptionsFor(verdict),
    judge: (peer) => judgeTarget(snapshot.resolver.lookup, { host: target.host, verdict }, peer),
  })
  if (opening.starttls.status === 'done') plain.setTimeout?.(0) // from now on the idle timer of the TLS socket counts
  const outcome = outcomeOf(target, verdict, opening, addresses)
  if (outcome !== undefined) guard.record(outcome)

  if (opening.status === 'open') {
    const line = handOver(guard, delivery, target, verdict, socket, opening)
    return guard.trail.opened(placeOf(target, opening, line), levelOf(opening), verdict.because)
  }
  if (isLastWord(delivery, opening)) return void handOver(guard, delivery, target, verdict, socket, lastWord(opening))
  close(socket, verdict, opening)
  const retry = isTriedInClear(target, opening)
  const next = retry ? 'Once more, in clear text' : 'Next host'
  const line = refusalLine(describeTarget(target), delivery.domain, opening.because, next)
  hmail.logwarn(line)
  guard.trail.refused(placeOf(target, opening, line), opening.because)
  if (retry) retryInClear(delivery, target, opening.because)
  else refuse(delivery, target, opening.because)
  void hmail.try_deliver()
}

function triedAllTheSame(verdict: AttemptVerdict): string {
  return `${verdict.wish === undefined ? 'Audit' : waiver(verdict)}: tried all the same`
}

type Opened = Extract<Opening, { status: 'open' }>
type Refused = Extract<Opening, { status: 'refused' }>

/** Core's wrapper as openSession wants it. */
function smtpSocket(socket: PluggableSocket): SmtpSocket {
  return {
    events: socket,
    write: (data) => socket.write(data),
    upgrade: (options, secured) => socket.upgrade(options, secured),
    secureSocket: () => socket.cleartext,
  }
}

/** @returns what the log says of it */
function handOver(
  { hmail, core }: Guarded,
  delivery: Delivery,
  target: Target,
  verdict: AttemptVerdict,
  socket: PluggableSocket,
  opening: Opened,
): string {
  const { mx, host, address } = target
  const line = sessionLine(target, verdict, opening)
  if (opening.passedOver === undefined && !line.includes('but accepted')) hmail.loginfo(line)
  else hmail.lognotice(line)

  delivery.secured = opening.starttls.status === 'done'
  if (socket.cleartext !== undefined) socket.cleartext.authorized = true // what we judged, core need not
  mx.from_dns = host.name // for the name in core's log and in its delivered hook; it chose nothing by it
  const [greeting, hello] = opening.replies
  const duties = {
    requiresTls: verdict.tls === 'required' && !verdict.audit,
    saysRequireTls: verdict.wish === 'requiretls',
    isLmtp: mx.using_lmtp === true,
  }
  prepareForCore(socket, duties, hello)
  core.try_deliver_host_on_socket(mx, address, host.port, socket)
  tell(socket, greeting)
  return line
}

function placeOf({ domain, host }: Target, { starttls }: Opening, text: string): Parameters<Trail['refused']>[0] {
  const tlsVersion = starttls.status === 'done' ? starttls.peer.protocol : undefined
  return { domain: domain.policyDomain, host: host.name, tlsVersion, text }
}

function levelOf({ starttls }: Opening): 'verified' | 'trusted' | 'untrusted' | 'clear-text' {
  return starttls.status === 'done' ? levels[starttls.judgement.level] : 'clear-text'
}

function close(socket: PluggableSocket, verdict: AttemptVerdict, opening: Refused): void {
  socket.removeAllListeners()
  socket.on('error', () => undefined)
  if (!isWaiting(verdict, opening)) return socket.destroy()
  socket.end('QUIT\r\n')
  letGo(socket)
}

/**
 * A QUIT is a courtesy that only a server still waiting for a command understands. RFC 8689 §4.2.1 asks for it wherever a
 * message that requires TLS turns back.
 */
function isWaiting({ wish }: AttemptVerdict, { starttls, because }: Refused): boolean {
  if (starttls.status === 'not-offered' || starttls.status === 'refused') return true
  if (wish !== 'requiretls') return false
  return starttls.status === 'done' || because.code === 'greeting-refused' || because.code === 'ehlo-refused'
}

function outcomeOf(
  target: Target,
  verdict: AttemptVerdict,
  opening: Opening,
  addresses: { readonly local: string | undefined; readonly remote: string | undefined },
): SessionOutcome | undefined {
  const { starttls } = opening
  const isRefused = opening.status === 'refused' && opening.because.concern !== 'smtp' // what SMTP refuses has been a session all the same
  const session = {
    at: new Date(),
    domain: target.domain.policyDomain,
    host: target.host.name,
    sendingAddress: addresses.local,
    receivingAddress: addresses.remote,
    level: isRefused ? ('refused' as const) : levelOf(opening),
    tlsVersion: starttls.status === 'done' ? starttls.peer.protocol : undefined,
  }
  const negotiation = negotiationOf(opening)
  if (negotiation === undefined || target.afterFailure !== undefined || target.mx.using_lmtp === true)
    return opening.status === 'open' || isRefused ? { ...session, results: [] } : undefined
  const refusal = starttls.status === 'done' ? starttls.judgement.refusal : undefined
  const outcome = judgeSession({ ...session, applied: verdict.applied, negotiation, refusal })
  return verdict.wouldSkip === undefined ? outcome : asIfSkipped(outcome, target, verdict.wouldSkip)
}

/** Under an audit a host that would not have been tried is recorded as without one: as what would have been refused. */
function asIfSkipped(outcome: SessionOutcome, { domain, host }: Target, because: Reason): SessionOutcome {
  const skipped = judgeSkip(outcome.at, domain, host.evidence, because)
  return skipped === undefined ? outcome : { ...outcome, results: skipped.results }
}

const levels = { Verified: 'verified', Trusted: 'trusted', Untrusted: 'untrusted' } as const

/** Undefined: TLS did not come up, so that there is nothing to count. */
function negotiationOf(opening: Opening): Negotiation | undefined {
  const { starttls } = opening
  if (starttls.status === 'not-tried') return undefined
  if (starttls.status === 'failed') {
    const wasInjected = opening.status === 'refused' && opening.because.code === 'starttls-injection'
    return { status: 'failed', reason: wasInjected ? 'starttls-injection' : 'handshake-failed' }
  }
  if (starttls.status !== 'done') return { status: starttls.status }
  const { pkix, dane } = starttls.judgement
  const daneFailure =
    dane?.status === 'refused' ? (dane.why === 'no-certificate' ? 'certificate-missing' : dane.why) : undefined
  const { why, flaw } = pkix.status === 'invalid' ? pkix : {}
  return { status: 'done', pkixFailure: why, daneFailure, chainFlaw: flaw }
}
