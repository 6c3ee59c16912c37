/**
 * One connection: opens the session as the verdict says, then hands it to core, or closes it and goes on.
 *
 * @module
 */

import type { PluggableSocket } from '../runtime/haraka'
import {
  acceptKnown,
  goOn,
  isReplyForCore,
  judgeTarget,
  replyForCore,
  openSession,
  verdictFor,
  type SmtpSocket,
} from '../lib/delivery'
import type { AttemptVerdict } from '../lib/policy'
import type { Opened, Refused } from '../runtime/events'
import type { Delivery, Target } from './candidates'
import type { Guarded } from './guarded'
import { destroyAfterLinger, prepareForCore, tell } from './handover'

export async function runSession(
  guard: Guarded,
  delivery: Delivery,
  target: Target,
  socket: PluggableSocket,
): Promise<void> {
  const { hmail, engine, snapshot } = guard
  if (snapshot === undefined) throw new Error('no settings')
  const { emit } = engine
  const verdict = verdictFor(target)
  const isLmtp = target.mx.using_lmtp === true
  const { warning, wouldSkip } = verdict
  if (warning !== undefined) emit({ type: 'warned', message: guard, text: warning })
  if (wouldSkip !== undefined) emit({ type: 'refusal-waived', message: guard, target, verdict, because: wouldSkip })

  const plain = socket.targetsocket
  const { localAddress, remoteAddress } = plain // gone when the server hangs up
  const opening = await openSession(smtpSocket(socket), {
    verdict,
    verb: isLmtp ? 'LHLO' : 'EHLO',
    helo: target.mx.bind_helo ?? 'localhost',
    replyTimeout: Number(engine.outbound.connect_timeout) * 1000,
    tlsOptions: () => snapshot.tlsOptionsFor(verdict),
    judge: async (peer) => {
      const judged = { ...target, verdict }
      return acceptKnown(
        engine.knownCerts.find,
        judged,
        peer,
        await judgeTarget(snapshot.resolver.lookup, judged, peer),
      )
    },
  })
  if (opening.starttls.status === 'done') plain.setTimeout?.(0) // from now on the idle timer of the TLS socket counts
  emit({ type: 'negotiated', message: guard, target, verdict, opening, isLmtp, localAddress, remoteAddress })

  const isForCore = opening.status === 'refused' && isReplyForCore(delivery, opening)
  if (opening.status === 'open' || isForCore) {
    const opened = opening.status === 'open' ? opening : replyForCore(opening)
    emit({ type: 'opened', message: guard, target, verdict, opening: opened, isReplyForCore: isForCore })
    return handOver(guard, delivery, target, verdict, socket, opened)
  }
  close(socket, verdict, opening)
  const next = goOn(delivery, target, opening)
  emit({ type: 'refused', message: guard, target, opening, next })
  void hmail.try_deliver()
}

/** Core's wrapper as openSession wants it. */
function smtpSocket(socket: PluggableSocket): SmtpSocket {
  return {
    events: socket,
    write: (data) => socket.write(data),
    upgrade: (options, secured) => socket.upgrade(options, secured),
    secureSocket: () => socket.cleartext,
  }
}

function handOver(
  { core }: Guarded,
  delivery: Delivery,
  target: Target,
  verdict: AttemptVerdict,
  socket: PluggableSocket,
  opening: Opened,
): void {
  const { mx, host, address } = target
  delivery.secured = opening.starttls.status === 'done'
  if (socket.cleartext !== undefined) socket.cleartext.authorized = true // what we judged, core need not
  mx.from_dns = host.name // for the name in core's log and in its delivered hook; it chose nothing by it
  const [greeting, hello] = opening.replies
  const duties = {
    requiresTls: verdict.tls === 'required' && !verdict.audit,
    saysRequireTls: verdict.request === 'requiretls',
    isLmtp: mx.using_lmtp === true,
  }
  prepareForCore(socket, duties, hello)
  core.try_deliver_host_on_socket(mx, address, host.port, socket)
  tell(socket, greeting)
}

function close(socket: PluggableSocket, verdict: AttemptVerdict, opening: Refused): void {
  socket.removeAllListeners()
  socket.on('error', () => undefined)
  if (!isWaiting(verdict, opening)) return socket.destroy()
  socket.end('QUIT\r\n')
  destroyAfterLinger(socket)
}

/**
 * A QUIT is a courtesy that only a server still waiting for a command understands. RFC 8689 §4.2.1 asks for it wherever a
 * message that requires TLS turns back.
 */
function isWaiting({ request }: AttemptVerdict, { starttls, because }: Refused): boolean {
  if (starttls.status === 'not-offered' || starttls.status === 'refused') return true
  if (request !== 'requiretls') return false
  return starttls.status === 'done' || because.code === 'greeting-refused' || because.code === 'ehlo-refused'
}
