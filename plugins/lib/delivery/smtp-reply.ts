/**
 * Reads SMTP replies from a peer that is not authenticated yet: bounded in length, in lines and in time, and
 * strict about their form (RFC 5321 §4.2).
 *
 * @module
 */

import type { EventEmitter } from 'node:events'
import { printable } from './printable'
import { createReplyLimit } from './reply-limit'

/** RFC 5321 §4.5.3.1.5 gives 512 octets to a reply line; EHLO lines of the wild are longer. */
const MAX_LINE = 4096
const MAX_LINES = 128

export interface SmtpReply {
  readonly code: number
  /** the lines as they came, with their line ends */
  readonly lines: readonly string[]
}

/** `tls`: OpenSSL says so, or the peer's alert */
export type ReplyProblem = 'malformed' | 'timeout' | 'closed' | 'failed' | 'tls'

/** No usable reply: who spoke too long, too late, nonsense or not at all. */
export class ReplyError extends Error {
  readonly problem: ReplyProblem

  constructor(problem: ReplyProblem, message: string) {
    super(message)
    this.name = 'ReplyError'
    this.problem = problem
  }
}

/** Every reader ends with it, most of them with no caller waiting: made once, since a stack trace costs more than a reply. */
const noLongerListening = new ReplyError('closed', 'no longer listening')

export interface ReplyReader {
  /**
   * The next reply, whole.
   *
   * @param milliseconds - until the last line of it must have come, however busily the peer drips
   * @throws {@link ReplyError}
   */
  next(milliseconds: number): Promise<SmtpReply>
  /** Whether anything came behind the last reply: after STARTTLS, an injection (RFC 3207 §6). */
  hasMore(): boolean
  /** Resolves with the reason when the connection fails or closes. */
  readonly broken: Promise<Error>
  isBroken(): boolean
  close(): void
}

/** Starts to listen. Nothing is lost between two calls of `next`. */
export function readReplies(socket: EventEmitter): ReplyReader {
  const limit = createReplyLimit(() => performance.now(), MAX_LINE * MAX_LINES)
  let text = ''
  let unfinished = 0 // octets of the last line, while its end has not come
  let failure: Error | undefined
  let waiting: ((outcome: SmtpReply | Error) => void) | undefined
  const { promise: broken, resolve: breaks } = Promise.withResolvers<Error>()

  const settle = (outcome: SmtpReply | Error) => {
    const resume = waiting
    waiting = undefined
    resume?.(outcome)
  }
  const take = () => {
    const taken = takeReply(text)
    if (taken === undefined) return undefined
    if (taken instanceof ReplyError) return taken
    text = text.slice(taken.length)
    return taken.reply
  }
  const fail = (error: Error) => {
    failure ??= error
    breaks(failure)
    settle(failure)
  }
  const onData = (data: Uint8Array) => {
    const chunk = Buffer.from(data).toString('latin1')
    const end = chunk.lastIndexOf('\n')
    unfinished = end === -1 ? unfinished + chunk.length : chunk.length - end - 1
    text += chunk
    if (!limit.allows(chunk.length))
      return fail(new ReplyError('malformed', 'the server says more, or for longer, than a reply can be'))
    if (waiting === undefined) return
    if (end === -1 && unfinished <= MAX_LINE) return // nothing new to read: who drips shall not make us read all over
    const outcome = take()
    if (outcome !== undefined) settle(outcome)
  }
  const onError = (error: Error) => fail(new ReplyError('reason' in error ? 'tls' : 'failed', failureText(error)))
  const onClose = () => fail(new ReplyError('closed', 'connection closed'))

  const listeners = [
    ['data', onData],
    ['error', onError],
    ['end', onClose],
    ['close', onClose],
  ] as const
  for (const [event, listener] of listeners) socket.on(event, listener)

  return {
    next(milliseconds) {
      limit.began()
      return new Promise((resolve, reject) => {
        const outcome = take() ?? failure
        if (outcome instanceof Error) return reject(outcome)
        if (outcome !== undefined) return resolve(outcome)
        const timer = setTimeout(
          () => settle(new ReplyError('timeout', `no reply within ${Math.round(milliseconds / 1000)} s`)),
          milliseconds,
        )
        waiting = (late) => {
          clearTimeout(timer)
          if (late instanceof Error) reject(late)
          else resolve(late)
        }
      })
    },
    hasMore: () => text.length > 0,
    broken,
    isBroken: () => failure !== undefined,
    close() {
      for (const [event, listener] of listeners) socket.removeListener(event, listener)
      fail(noLongerListening)
    },
  }
}

/** OpenSSL's own message is a line of file names that ends in a line feed; its reason says the same to people. */
function failureText(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

interface Taken {
  readonly reply: SmtpReply
  readonly length: number
}

/** The first whole reply in `text`; undefined while it is incomplete. */
function takeReply(text: string): Taken | ReplyError | undefined {
  const lines: string[] = []
  let start = 0
  for (;;) {
    const end = text.indexOf('\n', start)
    if ((end === -1 ? text.length : end) - start > MAX_LINE) return new ReplyError('malformed', 'reply line too long')
    if (end === -1) return undefined

    const line = text.slice(start, end + 1)
    start = end + 1
    const form = /^([2345]\d\d)([ -]|(?=\r?\n))/.exec(line)
    if (form === null) return new ReplyError('malformed', `not an SMTP reply: ${quote(line)}`)
    if (lines[0] !== undefined && !lines[0].startsWith(line.slice(0, 3)))
      return new ReplyError('malformed', `the code changes within a reply: ${quote(line)}`)
    lines.push(line)
    if (lines.length > MAX_LINES) return new ReplyError('malformed', `a reply of more than ${MAX_LINES} lines`)
    if (form[2] !== '-') return { reply: { code: Number(form[1]), lines }, length: start }
  }
}

/** A reply on one line, for people: "454 4.7.0 TLS not available". */
export function replyText(reply: SmtpReply): string {
  const text = reply.lines.map((line) => line.slice(4).trim()).join(' ')
  return printable(`${reply.code} ${text}`, 200)
}

function quote(line: string): string {
  return `"${printable(line.trimEnd(), 80)}"`
}

/** Whether an EHLO reply offers an extension (RFC 5321 §4.1.1.1). */
export function offers(reply: SmtpReply, keyword: string): boolean {
  return reply.lines.some((line) => line.slice(4).trim().split(/\s/, 1)[0]?.toUpperCase() === keyword)
}
