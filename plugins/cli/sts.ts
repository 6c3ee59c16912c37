/**
 * What the commands for MTA-STS policies share: the cache of an instance, and how a policy looks.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy, StsCache } from '../lib/mta-sts'
import type { Settings } from '../lib/settings'
import { isoTime } from '../lib/time'
import type { Answer, Call, Paint, Problem } from './command'
import { createPolicyCache } from '../runtime/stores'
import { openInstance, groundOf } from './instance'
import { printable, wrap } from './text'

/**
 * Opens the cache of an instance for `work`.
 *
 * @param readOnly - not even missing tables are made
 */
export async function withCache(
  call: Call,
  work: (cache: StsCache, settings: Settings) => Promise<Answer>,
  readOnly = false,
): Promise<Answer> {
  const instance = await openInstance(call)
  if ('problems' in instance) return instance
  const cache = createPolicyCache(instance.settings.store, { ...groundOf(instance), readOnly })
  try {
    return await work(cache, instance.settings)
  } finally {
    cache.close()
  }
}

/** The answer where the cache could not be used. */
export function unreadable({ text }: { readonly text: string }): Problem {
  const hint = /no such file$|no tables for sts yet$/.test(text)
    ? ' (Haraka makes it when it first runs with this plugin)'
    : ''
  return { code: 3, problems: [`the policy cache: ${printable(text)}${hint}`] }
}

/** A policy for programs; docs/command.md has it field by field. */
export function policyJson(entry: ListedPolicy, now: number): Readonly<Record<string, unknown>> {
  const { domain, id, policy, fetchedAt, expiresAt, refreshAt, usedAt, failures, lastFailure } = entry
  return {
    domain,
    id,
    mode: policy.mode,
    mx: policy.mx,
    maxAge: policy.maxAge,
    text: policy.text,
    notes: policy.notes,
    fetchedAt: isoTime(fetchedAt),
    expiresAt: isoTime(expiresAt),
    expired: expiresAt <= now,
    refreshAt: refreshAt === undefined ? null : isoTime(refreshAt),
    lastUsedAt: isoTime(usedAt),
    failedRefreshes: failures,
    lastFailure: failureJson(lastFailure),
  }
}

/** A failed fetch for programs; null: there is none. */
export function failureJson(failed: FailedFetch | undefined): Readonly<Record<string, unknown>> | null {
  if (!failed) return null
  const { id, at, failure } = failed
  return { id: id === '' ? null : id, at: isoTime(at), type: failure.type, text: failure.text }
}

/** A failed fetch in a sentence. */
export function failureText({ failure }: FailedFetch): string {
  return printable(`${failure.type}: ${failure.text}`)
}

/** The mode in its colour. */
export function paintMode(paint: Paint, { policy, expiresAt }: ListedPolicy, now: number, padded: string): string {
  if (expiresAt <= now) return paint('dim', padded)
  return paint(policy.mode === 'enforce' ? 'green' : 'yellow', padded)
}

/** Lines that must not be overlooked. */
export function warning(paint: Paint, text: string, first = ''): readonly string[] {
  return wrap(text, first).map((line) => paint('yellow', line))
}
