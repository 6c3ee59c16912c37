/**
 * Goes the way of a delivery without a message: connects to its hosts, opens a session as the verdict says, and leaves.
 *
 * @module
 */

import type { Lookup } from '../dns'
import type { AttemptVerdict, Reason } from '../policy'
import { errorText } from '../error-text'
import {
  goOn,
  isReplyForCore,
  isSkipped,
  leaveToNextAttempt,
  localAddress,
  newDelivery,
  noConnection,
  refuse,
  verdictFor,
  type HostRefusal,
  type Skipped,
  type Target,
} from './course'
import { deferralOf, type Deferral } from './deferral'
import type { SmtpConnection, SmtpExchange } from './dial'
import { judgeTarget } from './judgement'
import { acceptKnown, type FindKnown } from './known'
import { openSession, type Opening } from './opening'
import type { SmtpReply } from './smtp-reply'
import type { TlsOptionsFor } from './tls-options'

/** One connection that was tried. */
export interface Session {
  readonly target: Target
  /** what the session kept to: in clear text where it was the second try */
  readonly verdict: AttemptVerdict
  readonly met:
    | { readonly status: 'unreachable'; readonly because: Reason; readonly detail: string }
    | { readonly status: 'opened'; readonly opening: Opening; readonly exchanges: readonly SmtpExchange[] }
}

export interface ProbeTerms {
  readonly lookup: Lookup
  readonly tlsOptionsFor: TlsOptionsFor
  readonly findKnown: FindKnown
  readonly helo: string
  /** milliseconds for connecting, and for each reply outside of STARTTLS */
  readonly timeout: number
  /** whether an address is this machine's own, so that no mail may go there */
  readonly isLocal: (address: string) => boolean
  readonly dial: (address: string, port: number, milliseconds: number) => Promise<SmtpConnection>
}

/** Opens a session with one address of a host, and leaves. Never rejects. */
export async function probeTarget(terms: ProbeTerms, target: Target): Promise<Session> {
  const { address, host } = target
  const verdict = verdictFor(target)
  if (terms.isLocal(address)) return unreachable(target, verdict, localAddress(address), 'not connected')
  let connection: SmtpConnection
  try {
    connection = await terms.dial(address, host.port, terms.timeout)
  } catch (error) {
    return unreachable(target, verdict, noConnection, errorText(error))
  }
  try {
    const opening = await openSession(connection, {
      verdict,
      verb: 'EHLO',
      helo: terms.helo,
      replyTimeout: terms.timeout,
      tlsOptions: () => terms.tlsOptionsFor(verdict),
      judge: async (peer) => {
        peer.chain() // is shown, when the connection is gone
        const judged = { ...target, verdict }
        return acceptKnown(terms.findKnown, judged, peer, await judgeTarget(terms.lookup, judged, peer))
      },
    })
    if (isWaiting(opening)) await connection.quit()
    return { target, verdict, met: { status: 'opened', opening, exchanges: connection.exchanges() } }
  } finally {
    connection.destroy()
  }
}

function unreachable(target: Target, verdict: AttemptVerdict, because: Reason, detail: string): Session {
  return { target, verdict, met: { status: 'unreachable', because, detail } }
}

/** Whether the server expects a command now, so that a QUIT may be understood. */
function isWaiting(opening: Opening): boolean {
  const { status } = opening.starttls
  return opening.status === 'open' || status === 'not-offered' || status === 'refused' || status === 'done'
}

/** Where a delivery ends. */
export type End =
  /** here the message would be handed over */
  | { readonly status: 'delivered'; readonly session: Session }
  /** core would deal with the server's refusal as ever: it defers the message after a 4xx, and lets it bounce after a 5xx */
  | { readonly status: 'refused-by-server'; readonly session: Session; readonly reply: SmtpReply }
  | { readonly status: 'deferred'; readonly deferral: Deferral; readonly refusals: readonly HostRefusal[] }

/**
 * Goes through the candidates as a delivery does: the next address, then the next host, and once more in clear text where
 * the verdict allows it.
 *
 * @param meet - opens a session, or knows what came of it
 */
export async function followCourse(
  domain: string,
  candidates: readonly (Target | Skipped)[],
  meet: (target: Target) => Promise<Session>,
): Promise<End> {
  const delivery = newDelivery(domain, candidates, 0)
  for (let candidate = delivery.queue.shift(); candidate !== undefined; candidate = delivery.queue.shift()) {
    if (isSkipped(candidate)) {
      delivery.refusals.push({ host: candidate.host.name, because: candidate.because })
      continue
    }
    if (leaveToNextAttempt(delivery, candidate, 0)) break
    delivery.connections += 1
    const session = await meet(candidate)
    const { met } = session
    if (met.status === 'unreachable') {
      refuse(delivery, candidate, met.because)
      continue
    }
    const { opening } = met
    if (opening.status === 'open') return { status: 'delivered', session }
    const reply = opening.replies.at(-1)
    if (reply !== undefined && isReplyForCore(delivery, opening)) return { status: 'refused-by-server', session, reply }
    goOn(delivery, candidate, opening)
  }
  const { refusals } = delivery
  return { status: 'deferred', deferral: deferralOf(domain, refusals), refusals }
}
