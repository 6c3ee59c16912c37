/**
 * What the end-to-end tests of the guard say again and again.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PrivateInternet } from '../internet/index.ts'
import type { Outcome } from './outcome.ts'
import type { MessageEvent, RecipientResult } from './protocol.ts'
import type { Submission } from './submission.ts'

/** What became of one message to one recipient. */
export interface Fate {
  readonly fate: MessageEvent['event']
  readonly recipient: RecipientResult
  /** for another attempt */
  readonly outcome: Outcome
}

/** Sends a message to one recipient of a domain, and waits. */
export async function sendTo(
  net: PrivateInternet,
  domain: string,
  submission: Partial<Submission> = {},
): Promise<Fate> {
  return fateIn(await net.haraka.send({ to: `one@${domain}`, ...submission }))
}

/** Tries the message again, and waits. */
export async function tryAgain(net: PrivateInternet, { outcome }: Fate): Promise<Fate> {
  return fateIn(await net.haraka.retry(outcome))
}

/** Of a message to one recipient. */
export function fateIn(outcome: Outcome): Fate {
  const [recipient, ...others] = Object.values(outcome.recipients)
  assert.ok(recipient !== undefined && others.length === 0, 'one recipient')
  return { fate: recipient.fate, recipient, outcome }
}

/** Fails unless the message waits for a better time: with this enhanced status, and a text that says why. */
export function assertDeferred({ fate, recipient }: Fate, status: string, ...texts: readonly RegExp[]): void {
  assert.equal(fate, 'deferred', recipient.message)
  assert.equal(recipient.status, status, recipient.message)
  for (const text of texts) assert.match(recipient.message ?? '', text)
}

/** Fails unless exactly one line of the log has all of these in it. @returns that line */
export async function assertLogged(net: PrivateInternet, ...patterns: readonly (RegExp | string)[]): Promise<string> {
  const lines = await logged(net, ...patterns)
  assert.equal(lines.length, 1, `not one line of the log, but ${lines.length}, with ${patterns.join(' and ')}`)
  return lines[0] ?? ''
}

/** The lines of the log that have all of these in them; the log may be a little behind, so the first one is waited for. */
export async function logged(net: PrivateInternet, ...patterns: readonly (RegExp | string)[]): Promise<string[]> {
  for (let patience = 100; loggedNow(net, ...patterns).length === 0 && patience > 0; patience--) await sleep(20)
  return loggedNow(net, ...patterns)
}

/** The same, as the log is at this moment: for what ought not to be there. */
export function loggedNow(net: PrivateInternet, ...patterns: readonly (RegExp | string)[]): string[] {
  const matches = (line: string): boolean =>
    patterns.every((pattern) => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line)))
  return net.haraka.log.lines.filter(matches)
}
