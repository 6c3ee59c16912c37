/**
 * Policies, details and hours as the engines write them down: short, and the same text for the same thing.
 *
 * @module
 */

import type { AppliedPolicy, FailureFacts } from '../tlsrpt'
import type { SessionOutcome } from './session'

/** A detail without its count. */
export type Failure = Omit<FailureFacts, 'count'>

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** What is read back was written here, by this or an earlier version: what has been released is never changed, only added to. */
type WrittenPolicy = readonly [
  type: AppliedPolicy['type'],
  domain: string,
  strings?: readonly string[] | null,
  mx?: readonly string[],
]
type WrittenFailure = readonly [type: Failure['type'], ...others: (string | null)[]]

/** A policy as text. */
export function writePolicy(policy: AppliedPolicy): string {
  const { type, domain } = policy
  const strings = policy.type === 'no-policy-found' ? undefined : policy.strings
  const mx = policy.type === 'sts' ? policy.mx : undefined
  return JSON.stringify(withoutEnd([type, domain, strings ?? null, mx ?? null]))
}

export function readPolicy(text: string): AppliedPolicy {
  const [type, domain, strings, mx] = JSON.parse(text) as WrittenPolicy
  if (type === 'no-policy-found') return { type, domain }
  const quoted = strings ? { strings } : {}
  return type === 'tlsa' ? { type, domain, ...quoted } : { type, domain, ...quoted, ...(mx && { mx }) }
}

/** The type of a policy, of which the first twenty characters do. */
export function readPolicyType(beginning: string): AppliedPolicy['type'] {
  return TYPES.find((type) => beginning.startsWith(JSON.stringify([type]).slice(0, -1))) ?? 'no-policy-found'
}

const TYPES = ['tlsa', 'sts', 'no-policy-found'] as const satisfies readonly AppliedPolicy['type'][]

/** Reads a text that may be missing or damaged. @returns undefined: it is */
export function readIfSound<Read>(read: (text: string) => Read, text: string | undefined): Read | undefined {
  try {
    return text === undefined ? undefined : read(text)
  } catch {
    return undefined
  }
}

/** A detail as text. */
export function writeFailure(failure: Failure): string {
  const { type, reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information } = failure
  const others = [reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information]
  return JSON.stringify(withoutEnd([type, ...others.map((field) => field ?? null)]))
}

export function readFailure(text: string): Failure {
  const [type, ...others] = JSON.parse(text) as WrittenFailure
  const [reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information] = others.map(
    (field) => field ?? undefined,
  )
  return { type, reason, sendingAddress, receivingHost, receivingAddress, receivingHelo, information }
}

/** Sessions that went alike, as text. */
export type SessionKind = Pick<SessionOutcome, 'host' | 'level' | 'tlsVersion'>

type WrittenSessionKind = readonly [level: SessionOutcome['level'], tlsVersion?: string | null, host?: string | null]

export function writeSessionKind({ level, tlsVersion, host }: SessionKind): string {
  return JSON.stringify(withoutEnd([level, tlsVersion ?? null, host ?? null]))
}

export function readSessionKind(text: string): SessionKind {
  const [level, tlsVersion, host] = JSON.parse(text) as WrittenSessionKind
  return { level, tlsVersion: tlsVersion ?? undefined, host: host ?? undefined }
}

/** In Redis, levels are written as their place in here. */
export const LEVELS = [
  'verified',
  'trusted',
  'untrusted',
  'clear-text',
  'refused',
  'policy-fetch',
] as const satisfies readonly SessionOutcome['level'][]

function withoutEnd(fields: readonly unknown[]): readonly unknown[] {
  return fields.slice(0, fields.findLastIndex((field) => field !== null) + 1)
}
