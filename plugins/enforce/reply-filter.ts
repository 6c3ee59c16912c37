/**
 * What core hears of a server's replies: each is the reply to one command, in a form that core reads as RFC 5321 does.
 *
 * Core takes each line for the reply to its last command. Some replies that RFC 5321 allows it reads as failures, or
 * not at all; others, which no server may send, would have it send a message twice, or end one both ways. These break
 * the connection: the next host is tried, and the message waits where there is none.
 *
 * @module
 */

import { printable } from '../lib/delivery'

export type Heard =
  /** core is given this line; `closes`: nothing more is said on the connection */
  | { readonly line: string; readonly closes?: true }
  /** core is given nothing */
  | { readonly line: undefined }
  | { readonly broken: string }

export interface ReplyFilter {
  /** Core has written this: a command, or a part of a message. @returns whether it ends a message */
  readonly wrote: (data: string | Uint8Array) => boolean
  /** Runs `pass`, in which the lines of one piece of data come: a command written in there is not answered by it. */
  readonly during: (pass: () => boolean) => boolean
  readonly hear: (line: string) => Heard
}

/** What comes next from the server. */
type Awaited = 'reply' | 'rcpt' | 'data' | 'nothing while the message is written' | 'message' | 'nothing' | 'goodbye'

/** @param isLmtp - a message has a reply for each recipient (RFC 2033 §4.2) */
export function createReplyFilter(isLmtp: boolean): ReplyFilter {
  let awaited: Awaited = 'reply'
  let accepted = 0
  let repliesLeft = 0
  let isReading = false
  let isTooEarly = false

  const wrote = (data: string | Uint8Array) => {
    if (typeof data !== 'string') return false // a message is read from its file in buffers, commands are strings
    isTooEarly = isReading
    if (data === '.\r\n' && awaited === 'nothing while the message is written') {
      awaited = 'message'
      repliesLeft = isLmtp ? accepted : 1
      return true
    }
    if (/^MAIL /i.test(data)) accepted = 0
    awaited = awaitedBehind(data)
    return false
  }

  /** A reply is complete. */
  const took = (code: number) => {
    if (awaited === 'rcpt' && isPositive(code)) accepted += 1
    if (awaited === 'data' && code === 354) awaited = 'nothing while the message is written'
    else if (awaited !== 'message') awaited = 'nothing'
    else if (--repliesLeft <= 0) awaited = 'nothing'
  }

  const hear = (line: string): Heard => {
    // The line processor's rest at the end of the connection: core would have both a reply and a lost connection
    if (awaited === 'goodbye' || !line.endsWith('\n')) return { line: undefined }
    const [, digits, separator = ''] = /^([2345]\d\d)([ -]|(?=\r?\n))/.exec(line) ?? []
    if (digits === undefined) return { broken: `not an SMTP reply: "${printable(line.trimEnd(), 80)}"` }
    const code = Number(digits)
    const quoted = `"${printable(line.trimEnd(), 80)}"`
    if (awaited === 'nothing' || isTooEarly) return { broken: `a reply to nothing that was said: ${quoted}` }
    if (awaited === 'nothing while the message is written' && code < 400)
      return { broken: `a reply in the middle of the message: ${quoted}` }
    // To core any 2xx is an invitation to send the message, whose lines would be commands to the server
    if (awaited === 'data' && code < 400 && code !== 354) return { broken: `no reply to DATA: ${quoted}` }

    const told = awaited
    if (separator !== '-') took(code)
    // Core takes nothing but 250 for an accepted recipient. 251 and 252 are as good (RFC 5321 §4.3.2), and stand behind it in its log
    if (told === 'rcpt' && isPositive(code) && code !== 250) return { line: `250${separator || ' '}${line}` }
    const whole = separator === '' ? `${digits} ${line.slice(3)}` : line // the text is optional (RFC 5321 §4.2)
    if (told === 'nothing while the message is written' && separator !== '-') return { line: whole, closes: true }
    return { line: whole }
  }

  const during = (pass: () => boolean) => {
    isReading = true
    try {
      return pass()
    } finally {
      isReading = false
      isTooEarly = false
    }
  }
  return { wrote, during, hear }
}

function awaitedBehind(command: string): Awaited {
  if (/^RCPT /i.test(command)) return 'rcpt'
  if (command === 'DATA\r\n') return 'data'
  return command === 'QUIT\r\n' ? 'goodbye' : 'reply'
}

function isPositive(code: number): boolean {
  return code >= 200 && code < 300
}
