/**
 * What the commands for MTA-STS policies share: the cache of an instance, and how a policy looks.
 *
 * @module
 */

import type { FailedFetch, ListedPolicy, StsCache } from '../lib/mta-sts'
import type { Settings } from '../lib/settings'
import type { Answer, Call, Paint } from './command'
import { createPolicyCache } from '../runtime/stores'
import { withStore } from './store'
import { printable, wrap } from './text'

/**
 * Opens the cache of an instance for `work`.
 *
 * @param readOnly - not even missing tables are made
 */
export function withCache(
  call: Call,
  work: (cache: StsCache, settings: Settings) => Promise<Answer>,
  readOnly = false,
): Promise<Answer> {
  const open = (...where: Parameters<typeof createPolicyCache>) => {
    const cache = createPolicyCache(...where)
    return { cache, end: () => cache.close() }
  }
  return withStore(call, open, { readOnly }, ({ cache }, { settings }) => work(cache, settings))
}

export const WHAT = 'the policy cache'

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
