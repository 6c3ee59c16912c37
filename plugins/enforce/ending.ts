/**
 * How an attempt ends when nobody took the message: it is deferred, or bounces.
 *
 * @module
 */

import DSN from 'haraka-dsn'
import type { HMailItem } from '../haraka'
import { deferralOf, printable, type Deferral, type Refusal, type Undeliverable } from '../lib/delivery'
import { toAsciiDomain } from '../lib/dns'
import type { Guarded } from './guarded'

/** A bounce is us-ascii, in lines of at most 998 octets (RFC 5322 §2.1.1), and core writes each text on one line. */
const MAX_DSN_TEXT = 850

/**
 * Nobody is left who might take the message. Before it bounces for the sake of an STS policy, the domain is asked once
 * more whether it has another one by now (T27: RFC 8461 §5.1).
 *
 * @param again - begins another attempt at once
 */
export async function giveUp(guard: Guarded, refusals: readonly Refusal[], again: () => Promise<void>): Promise<void> {
  const { hmail, snapshot } = guard
  const deferral = deferralOf(hmail.todo.domain, refusals)
  const isLast = hmail.num_failures >= hmail.cfg.temp_fail_intervals.length
  if (!isLast || guard.askedForNewPolicy || !deferral.concerns.has('mta-sts')) return defer(guard, deferral)

  guard.askedForNewPolicy = true
  const policyDomain = toAsciiDomain(hmail.todo.domain)
  const hasNewPolicy = policyDomain !== undefined && (await snapshot?.sts.recheck(policyDomain)) === true
  if (!hasNewPolicy) return defer(guard, deferral)
  hmail.lognotice(`${hmail.todo.domain} has a new MTA-STS policy: one more try before the message bounces`)
  return again()
}

/** Leaves the message in the queue until its next attempt. Core bounces it when there is none. */
export function defer(guard: Guarded, { status, text, shortText, concerns }: Deferral): void {
  const { hmail, core } = guard
  guard.delivery = undefined
  guard.lastErrors = concerns
  const [, subject = 0, detail = 0] = status.split('.').map(Number)
  const inAscii = printable((text.length > MAX_DSN_TEXT ? shortText : text).replaceAll('…', '...'), MAX_DSN_TEXT)
  for (const recipient of hmail.todo.rcpt_to)
    hmail.extend_rcpt_with_dsn(recipient, DSN.create(450, inAscii, subject, detail))
  hmail.logwarn(`${hmail.todo.domain} deferred, ${status}: ${text}`)
  core.temp_fail(inAscii)
}

/** No retry will ever help. */
export function bounceUndeliverable(hmail: HMailItem, { why, text }: Undeliverable): void {
  const detail = why === 'null-mx' ? 10 : 2 // RFC 7505 §4.2, RFC 3463 §3.2
  for (const recipient of hmail.todo.rcpt_to) hmail.extend_rcpt_with_dsn(recipient, DSN.create(550, text, 1, detail))
  hmail.bounce(text)
}

export function unconfigured(errors: readonly string[]): Deferral {
  return failure(`the configuration of outbound TLS cannot be read: ${errors.join(' | ')}`)
}

/** What is wrong here, not out there. */
export function failure(text: string): Deferral {
  return { status: '4.7.5', text, shortText: text.slice(0, MAX_DSN_TEXT), concerns: new Set() }
}
