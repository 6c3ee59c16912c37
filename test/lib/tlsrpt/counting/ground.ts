/**
 * Counts to put into a store of outcomes, and ways to look at what comes out.
 *
 * @module
 */

import assert from 'node:assert/strict'
import type { Batch, OutcomeStore, PolicyCount, SessionCount } from '../../../../dist/lib/tlsrpt/counting/index.js'
import type { Done } from '../../../../dist/lib/store/index.js'
import type { AppliedPolicy, PolicyFacts } from '../../../../dist/lib/tlsrpt/format/index.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** 2027-01-31 00:00 UTC, a Sunday */
export const MIDNIGHT = Date.UTC(2027, 0, 31)
export const today = { start: MIDNIGHT, end: MIDNIGHT + DAY }

export const none = (domain: string): AppliedPolicy => ({ type: 'no-policy-found', domain })
export const sts: Extract<AppliedPolicy, { type: 'sts' }> = {
  type: 'sts',
  domain: 'example.org',
  strings: ['version: STSv1', 'mode: enforce', 'mx: *.example.org', 'max_age: 604800'],
  mx: ['*.example.org'],
}
export const tlsa: AppliedPolicy = { type: 'tlsa', domain: 'mx1.example.org', strings: ['3 1 1 AB', '3 1 1 CD'] }
export const expired: NonNullable<PolicyCount['failure']> = {
  type: 'certificate-expired',
  reason: undefined,
  sendingAddress: '192.0.2.1',
  receivingHost: 'mx1.example.org',
  receivingAddress: '2001:db8::1',
  receivingHelo: undefined,
  information: undefined,
}

let numbers = 0

export function batch(
  policies: readonly PolicyCount[],
  sessions: readonly SessionCount[] = [],
  by: Partial<Pick<Batch, 'writer' | 'number'>> = {},
): Batch {
  return { writer: 'a', number: ++numbers, ...by, policies, sessions }
}

export function counted(over: Partial<PolicyCount> = {}): PolicyCount {
  const domain = over.domain ?? 'example.org'
  return { hour: MIDNIGHT, domain, policy: none(domain), failure: undefined, count: 1, ...over }
}

export function session(over: Partial<SessionCount> = {}): SessionCount {
  const kind = { host: 'mx1.example.org', level: 'verified', tlsVersion: 'TLSv1.3' } as const
  return { hour: MIDNIGHT, domain: 'example.org', ...kind, count: 1, ...over }
}

export async function value<Result>(done: Promise<Done<Result>>): Promise<Result> {
  const result = await done
  assert.ok(result.ok, result.ok ? '' : result.text)
  return result.value
}

/** Facts in an order that no engine promises, fields without a value left out. */
export function sorted(facts: readonly PolicyFacts[]): readonly unknown[] {
  const plain = facts.map((one) => ({ ...one, details: inOrder(one.details) }))
  return inOrder(plain)
}

export function inOrder(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item) => JSON.stringify(item))
    .sort()
    .map((text) => JSON.parse(text) as unknown)
}

/** Removes the days that have ended by an instant. */
export async function removeAll(store: OutcomeStore, before: number): Promise<void> {
  while (await value(store.removeOld(0, before)));
}
