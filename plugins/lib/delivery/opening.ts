/**
 * Opens an SMTP session up to the point where mail may be sent: greeting, EHLO, STARTTLS, handshake, judgement, EHLO.
 *
 * Whatever comes before the handshake comes from anyone: where TLS is required, nothing but a well-formed 2xx leads
 * on, and nothing learnt in clear text is believed after the handshake (RFC 3207 §4.2).
 *
 * @module
 */

import { requireTlsNotOffered, type AttemptVerdict, type EnhancedStatus, type Reason } from '../policy'
import { errorText } from '../error-text'
import { shakeHands, UnusableOptions, type SmtpSocket } from './handshake'
import type { PeerJudgement, TlsPeer } from './peer'
import { offers, readReplies, ReplyError, replyText, type SmtpReply, type ReplyReader } from './smtp-reply'
import type { TlsOptions } from './tls-options'

export interface OpeningTerms {
  readonly verdict: AttemptVerdict
  /** EHLO, or LHLO for LMTP */
  readonly verb: 'EHLO' | 'LHLO'
  readonly helo: string
  /** milliseconds for each reply outside of STARTTLS */
  readonly replyTimeout: number
  /** asked for when STARTTLS is offered; throws where our own key, certificate, ciphers or trust anchors are of no use */
  readonly tlsOptions: () => TlsOptions
  readonly judge: (peer: TlsPeer) => Promise<PeerJudgement>
}

/** What became of STARTTLS, whatever became of the session. */
export type Starttls =
  | { readonly status: 'not-tried' }
  | { readonly status: 'not-offered' }
  | { readonly status: 'refused'; readonly reply: string }
  | { readonly status: 'failed'; readonly text: string }
  | { readonly status: 'done'; readonly peer: TlsPeer; readonly judgement: PeerJudgement }

export type Opening =
  | {
      readonly status: 'open'
      readonly starttls: Starttls
      /** what core has to be told before it sends the mail: the greeting and the last EHLO reply, or a refusal among them */
      readonly replies: readonly SmtpReply[]
      /** what an audit let pass */
      readonly passedOver: Reason | undefined
    }
  | {
      readonly status: 'refused'
      readonly starttls: Starttls
      readonly because: Reason
      /** the handshake failed: the verdict decides whether clear text is tried */
      readonly handshakeFailed: boolean
      /** where TLS was not required: what the sender of the mail may be told if no other host is left */
      readonly replies: readonly SmtpReply[]
    }

/** Opens a session. Rejects where `judge` does, and for no other reason. The socket's listeners are as before when it settles. */
export async function openSession(socket: SmtpSocket, terms: OpeningTerms): Promise<Opening> {
  const reader = readReplies(socket.events)
  try {
    const opening = await open(socket, reader, terms)
    return opening.status === 'open' && reader.isBroken() ? hungUp(opening) : opening
  } finally {
    reader.close()
  }
}

async function open(socket: SmtpSocket, reader: ReplyReader, terms: OpeningTerms): Promise<Opening> {
  const { verdict } = terms
  const notTried: Starttls = { status: 'not-tried' }
  let greeting: SmtpReply
  let hello: SmtpReply
  try {
    greeting = await reader.next(terms.replyTimeout)
    if (!isPositive(greeting)) return refusedEarly(verdict, 'greeting-refused', [greeting])
    hello = await command(socket, reader, `${terms.verb} ${terms.helo}`, terms.replyTimeout)
    if (!isPositive(hello)) return refusedEarly(verdict, 'ehlo-refused', [greeting, hello])
  } catch (error) {
    return lost(notTried, error)
  }

  if (verdict.tls === 'none') return opened(notTried, [greeting, hello])
  if (!offers(hello, 'STARTTLS')) {
    const because = starttlsReason(verdict, 'starttls-not-offered', 'STARTTLS is not offered')
    return withoutTls(verdict, { status: 'not-offered' }, because, [greeting, hello])
  }
  return upgrade(socket, reader, terms, greeting, hello)
}

async function upgrade(
  socket: SmtpSocket,
  reader: ReplyReader,
  terms: OpeningTerms,
  greeting: SmtpReply,
  hello: SmtpReply,
): Promise<Opening> {
  const { verdict } = terms
  let options: TlsOptions
  try {
    options = terms.tlsOptions()
  } catch (error) {
    return ourOwnFault(error)
  }
  const until = performance.now() + verdict.settings.tlsTimeout
  let reply: SmtpReply
  try {
    reply = await command(socket, reader, 'STARTTLS', verdict.settings.tlsTimeout)
  } catch (error) {
    return handshakeFailed(verdict, error)
  }
  if (!isPositive(reply)) {
    const text = `STARTTLS was refused: ${replyText(reply)}`
    const because = starttlsReason(verdict, 'starttls-refused', text, reply.code >= 500)
    return withoutTls(verdict, { status: 'refused', reply: replyText(reply) }, because, [greeting, hello])
  }
  if (reader.hasMore()) return injected(verdict)

  let peer: TlsPeer
  try {
    peer = await shakeHands(socket, reader, options, until - performance.now())
  } catch (error) {
    if (error instanceof UnusableOptions) return ourOwnFault(error)
    return handshakeFailed(verdict, error, `${errorText(error)}${whatWasDemanded(options, error)}`)
  }
  // mutual_tls merges a minimum of its own over ours
  const { minTlsVersion } = verdict.settings
  if (peer.protocol < minTlsVersion)
    return handshakeFailed(
      verdict,
      new ReplyError('tls', `${peer.protocol} was negotiated, below min-tls-version = ${minTlsVersion}`),
    )
  return speakOverTls(socket, reader, terms, greeting, peer)
}

async function speakOverTls(
  socket: SmtpSocket,
  reader: ReplyReader,
  terms: OpeningTerms,
  greeting: SmtpReply,
  peer: TlsPeer,
): Promise<Opening> {
  const { verdict } = terms
  const judgement = await terms.judge(peer)
  const done: Starttls = { status: 'done', peer, judgement }
  if (judgement.refusal !== undefined && !verdict.audit)
    return refusedBecause(done, { ...judgement.refusal, status: statusFor(verdict, judgement.refusal.status) })

  try {
    // A TLS 1.3 server refuses after the client believes that it is done: only a reply proves the handshake
    const hello = await command(socket, reader, `${terms.verb} ${terms.helo}`, terms.replyTimeout)
    if (hello.code >= 400 && hello.code < 500) return notNow(done, [greeting, hello])
    if (verdict.request === 'requiretls' && !(isPositive(hello) && offers(hello, 'REQUIRETLS')))
      return refusedBecause(done, requireTlsNotOffered)
    return opened(done, [greeting, hello], judgement.refusal)
  } catch (error) {
    return handshakeFailed(verdict, error, `no reply after the handshake: ${errorText(error)}`)
  }
}

function command(socket: SmtpSocket, reader: ReplyReader, line: string, milliseconds: number): Promise<SmtpReply> {
  socket.write(`${line}\r\n`)
  return reader.next(milliseconds)
}

function isPositive(reply: SmtpReply): boolean {
  return reply.code >= 200 && reply.code < 300
}

function opened(starttls: Starttls, replies: readonly SmtpReply[], passedOver?: Reason): Opening {
  return { status: 'open', starttls, replies, passedOver }
}

/** A 4xx or 5xx before STARTTLS: the next host's turn. A server that knows no EHLO may know HELO, in clear text. */
function refusedEarly(
  verdict: AttemptVerdict,
  code: 'greeting-refused' | 'ehlo-refused',
  replies: readonly [SmtpReply, ...SmtpReply[]],
): Opening {
  const [greeting, reply = greeting] = replies
  const requiresTls = verdict.tls === 'required' && !verdict.audit
  if (code === 'ehlo-refused' && reply.code >= 500 && !requiresTls) return opened({ status: 'not-tried' }, replies)
  return { ...refusedBecause({ status: 'not-tried' }, refusedBy(code, reply)), replies: requiresTls ? [] : replies }
}

/** A 4xx to EHLO over TLS: the session is proved, and the next host's turn. */
function notNow(starttls: Starttls, replies: readonly [SmtpReply, SmtpReply]): Opening {
  return { ...refusedBecause(starttls, refusedBy('ehlo-refused', replies[1])), replies }
}

function refusedBy(code: 'greeting-refused' | 'ehlo-refused', reply: SmtpReply): Reason {
  const command = code === 'greeting-refused' ? 'the greeting was' : 'EHLO was answered with'
  const text = `${command} ${replyText(reply)}`
  return { code, concern: 'smtp', text, source: 'RFC 5321 4.2', status: '4.4.2' }
}

function refusedBecause(starttls: Starttls, because: Reason): Extract<Opening, { status: 'refused' }> {
  return { status: 'refused', starttls, because, handshakeFailed: false, replies: [] }
}

/** STARTTLS cannot be had: clear text, where the verdict allows it. */
function withoutTls(
  verdict: AttemptVerdict,
  starttls: Starttls,
  because: Reason,
  replies: readonly SmtpReply[],
): Opening {
  if (!verdict.clearTextWithoutStarttls) return refusedBecause(starttls, because)
  const wasRequired = verdict.tls === 'required'
  return opened(starttls, replies, wasRequired ? because : undefined)
}

function starttlsReason(
  verdict: AttemptVerdict,
  code: 'starttls-not-offered' | 'starttls-refused',
  text: string,
  isLasting = true,
): Reason {
  const { concern, source } = verdict.because
  const status = statusFor(verdict, '4.7.4', isLasting)
  return { code, concern, text: `${text}; ${verdict.because.text}`, source, status }
}

/** A message that requires TLS does not wait for a host to be set right (Q4), only for one that could not be reached. */
function statusFor({ request }: AttemptVerdict, otherwise: EnhancedStatus, isLasting = true): EnhancedStatus {
  return request === 'requiretls' && isLasting ? '5.7.10' : otherwise
}

/** Bytes behind the 220: an attacker wants them to be taken for the server's (RFC 3207 §6). */
function injected(verdict: AttemptVerdict): Opening {
  const text = 'data behind the reply to STARTTLS, before the handshake: an injection'
  const { concern } = verdict.because
  const because: Reason = { code: 'starttls-injection', concern, text, source: 'RFC 3207 6', status: '4.7.5' }
  return refusedBecause({ status: 'failed', text }, because)
}

/** A server that shares no cipher suite with us says so by an alert at best: many hang up. */
function whatWasDemanded({ onlyForwardSecrecy }: TlsOptions, error: unknown): string {
  const isLate = error instanceof ReplyError && error.problem === 'timeout'
  return onlyForwardSecrecy === true && !isLate ? '; forward secrecy is demanded (ciphers in outbound-tls.ini)' : ''
}

function handshakeFailed(verdict: AttemptVerdict, error: unknown, text = errorText(error)): Opening {
  const { concern, source } = verdict.because
  const message = `TLS handshake failed: ${text}`
  const status = statusFor(verdict, '4.7.5', !(error instanceof ReplyError) || error.problem === 'tls')
  const because: Reason = { code: 'handshake-failed', concern, text: message, source, status }
  return { ...refusedBecause({ status: 'failed', text }, because), handshakeFailed: true }
}

/** A message that requires TLS gets no clear text because of a mistake of ours: no fallback, and nothing to report about the peer. */
function ourOwnFault(error: unknown): Opening {
  const text = `TLS cannot be used with the key, certificate, ciphers or trust anchors that are configured: ${errorText(error)}`
  const because: Reason = { code: 'configuration', concern: 'tls', text, source: 'configuration', status: '4.7.5' }
  return refusedBecause({ status: 'not-tried' }, because)
}

/** The connection was of no use before STARTTLS came up. */
function lost(starttls: Starttls, error: unknown): Opening {
  const problem = error instanceof ReplyError ? error.problem : 'failed'
  const code = problem === 'malformed' ? 'malformed-reply' : problem === 'timeout' ? 'timeout' : 'connection-lost'
  const concern = problem === 'malformed' ? 'smtp' : 'connection'
  const because: Reason = { code, concern, text: errorText(error), source: 'RFC 5321 4.2', status: '4.4.2' }
  return refusedBecause(starttls, because)
}

/** A caller that gets the socket now would wait for events that have already happened. */
function hungUp({ starttls }: Opening): Opening {
  return lost(starttls, new ReplyError('closed', 'connection closed after EHLO'))
}
