/**
 * How an attempt ends when no host took the message: it is deferred, or bounces.
 *
 * @module
 */

import DSN from 'haraka-dsn'
import type { HMailItem } from '../runtime/haraka'
import {
  deferralOf,
  isForGood,
  printable,
  undeliverableStatus,
  type Deferral,
  type HostRefusal,
  type Undeliverable,
} from '../lib/delivery'
import type { Recheck } from '../lib/mta-sts'
import { recipientDomainOf } from './envelope'
import { endAttempt, safely, type Guarded } from './guarded'

/** A bounce is us-ascii, in lines of at most 998 octets (RFC 5322 §2.1.1), and core writes each text on one line. */
const MAX_DSN_TEXT = 850

/**
 * No host is left that might take the message. Where an STS policy refused them, or no host can promise what the message
 * requires, the domain is asked past all caches whether it has another policy by now (T27: RFC 8461 §5.1): once in an attempt.
 *
 * @param again - begins another attempt at once
 */
export async function giveUp(
  guard: Guarded,
  refusals: readonly HostRefusal[],
  again: () => Promise<void>,
): Promise<void> {
  const { hmail, engine } = guard
  const deferral = deferralOf(recipientDomainOf(hmail), refusals)
  const forGood = isForGood(deferral)
  const isLast = forGood || isLastAttempt(guard)
  const policy = forGood || deferral.concerns.has('mta-sts') ? await recheckPolicy(guard) : 'the-same'
  if (policy === 'another') {
    engine.emit({ type: 'tried-once-more', message: guard, why: 'new-sts-policy' })
    return again()
  }
  if (forGood && policy === 'unknown' && !isLastAttempt(guard)) return defer(guard, untilPolicyIsKnown(deferral))
  if (isLast && isToBeSentWithout(guard, refusals)) {
    guard.isRequireTlsWaived = true
    engine.emit({ type: 'tried-once-more', message: guard, why: 'requiretls-waived' })
    return again()
  }
  const told = isLast && policy === 'unknown' ? withoutRecheck(deferral) : deferral
  return forGood ? bounceForGood(guard, told) : defer(guard, told)
}

/** Of the recipient domain, or of the relays that have one. */
async function recheckPolicy(guard: Guarded): Promise<Recheck> {
  const { appliedPolicies, snapshot } = guard
  if (guard.askedForNewPolicy || snapshot === undefined) return 'the-same'
  guard.askedForNewPolicy = true
  const found = await Promise.all([...appliedPolicies].map(([domain, policy]) => snapshot.sts.recheck(domain, policy)))
  return found.find((policy) => policy === 'another') ?? found.find((policy) => policy === 'unknown') ?? 'the-same'
}

/** It bounces now, and nobody could be asked: whoever gets the bounce may know. */
function withoutRecheck(deferral: Deferral): Deferral {
  const unknown = '; it could not be looked up whether there is a new MTA-STS policy'
  return { ...deferral, text: deferral.text + unknown, shortText: deferral.shortText + unknown }
}

/** T27: nothing fails for good before it has been asked whether there is another policy. */
function untilPolicyIsKnown(deferral: Deferral): Deferral {
  const unknown = '; it waits, since it cannot be looked up now whether there is a new MTA-STS policy'
  return { ...deferral, status: '4.7.5', text: deferral.text + unknown, shortText: deferral.shortText + unknown }
}

/** A bounce would be lost: REQUIRETLS is no reason for that (Q6: RFC 8689 §5). All other policies go on to count. */
function isToBeSentWithout({ hmail, isRequireTlsWaived }: Guarded, refusals: readonly HostRefusal[]): boolean {
  const user = hmail.todo?.mail_from.user
  if (isRequireTlsWaived || (user !== null && user !== '')) return false
  return refusals.some(({ because }) => isForGood(because) || because.code === 'requiretls-mx-not-validated')
}

/**
 * Leaves the message in the queue until its next attempt. Core bounces it when there is none. Never throws: what is wrong with
 * the message itself does not prevent its deferral.
 */
export function defer(guard: Guarded, decided: Deferral): void {
  const { hmail, engine } = guard
  const deferral = withNextAttempt(guard, decided)
  const inAscii = inBounce(deferral)
  guard.lastErrors = deferral.concerns
  safely(hmail, () => endAttempt(guard))
  safely(hmail, () => tellRecipients(hmail, isLastAttempt(guard) ? 550 : 450, deferral.status, inAscii))
  engine.emit({ type: 'not-delivered', message: guard, deferral })
  failForNow(guard, inAscii)
}

/** Core makes a bounce of a message that is deferred now. */
function isLastAttempt({ hmail, engine }: Guarded): boolean {
  return hmail.num_failures >= engine.outbound.temp_fail_intervals.length
}

/** What the next attempt accepts, and when that is. */
function withNextAttempt({ hmail, engine }: Guarded, deferral: Deferral): Deferral {
  const seconds = engine.outbound.temp_fail_intervals[hmail.num_failures]
  if (!deferral.isWaivedNext || seconds === undefined) return deferral
  const next = `; the next attempt, in ${seconds} s, accepts such a certificate (relax-after-tls-failure)`
  return { ...deferral, text: deferral.text + next, shortText: deferral.shortText + next }
}

/** Core reads the envelope where it bounces, too: what it cannot bounce keeps its file, and leaves the queue. */
export function failForNow(guard: Guarded, text: string, extra?: unknown): void {
  const { hmail, core, engine } = guard
  try {
    core.temp_fail(text, extra)
  } catch (error) {
    engine.emit({ type: 'stuck', message: guard, error })
    safely(hmail, () => hmail.next_cb())
  }
}

/** RFC 8689 §4.2.1: a sender that required TLS is told at once that it is not available (Q4). */
function bounceForGood(guard: Guarded, deferral: Deferral): void {
  const { hmail, engine } = guard
  const inAscii = inBounce(deferral)
  tellRecipients(hmail, 550, deferral.status, inAscii)
  engine.emit({ type: 'not-delivered', message: guard, deferral })
  hmail.bounce(inAscii)
}

/** The text as it may stand in a bounce. */
function inBounce({ text, shortText }: Deferral): string {
  return printable((text.length > MAX_DSN_TEXT ? shortText : text).replaceAll('…', '...'), MAX_DSN_TEXT)
}

/** What core and we note at a recipient of how an attempt ended: it all goes into the bounce. */
const FACTS = [
  ...(['reason', 'dsn_action', 'dsn_status', 'dsn_code', 'dsn_msg', 'dsn_remote_mta'] as const),
  ...(['dsn_smtp_code', 'dsn_smtp_extc', 'dsn_smtp_response'] as const),
] as const

/** A bounce tells of one attempt: what there is of an earlier one is cleared when an attempt begins, and when we tell ours. */
export function clearFacts(hmail: HMailItem): void {
  for (const recipient of hmail.todo?.rcpt_to ?? []) for (const fact of FACTS) Reflect.deleteProperty(recipient, fact)
}

/** Puts code, status and text where the bounce will have them. */
function tellRecipients(hmail: HMailItem, code: 450 | 550 | 556, status: string, text: string): void {
  const [, subject = 0, detail = 0] = status.split('.').map(Number)
  clearFacts(hmail)
  for (const recipient of hmail.todo?.rcpt_to ?? [])
    hmail.extend_rcpt_with_dsn(recipient, DSN.create(code, text, subject, detail))
}

/** No retry will ever help. */
export function bounceUndeliverable(hmail: HMailItem, { why, text }: Undeliverable): void {
  tellRecipients(hmail, why === 'null-mx' ? 556 : 550, undeliverableStatus[why], text) // RFC 7504 §3, RFC 7505 §4.2
  hmail.bounce(text)
}

export function unconfigured(errors: readonly string[]): Deferral {
  const text = `the configuration of outbound TLS cannot be read: ${errors.join(' | ')}`
  return { ...failure(text), reasons: ['configuration'] }
}

/** What is wrong here, not out there. */
export function failure(text: string): Deferral {
  return {
    status: '4.7.5',
    text,
    shortText: text.slice(0, MAX_DSN_TEXT),
    concerns: new Set(),
    reasons: [],
    isWaivedNext: false,
  }
}
