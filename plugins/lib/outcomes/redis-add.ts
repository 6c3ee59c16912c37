/**
 * A batch as the words of a script.
 *
 * @module
 */

import type { RedisConnection, Word } from '../store'
import { foldedFailure, foldedPolicy, LONGEST_POLICY } from './fold'
import { CLOSED, DAYS, HOURS, PREFIX, refOf, TOO_LONG, writerKey } from './redis-keys'
import { ADD } from './redis-scripts'
import type { Added, Batch, PolicyCount, SessionCount } from './store'
import { DAY, LEVELS, writeFailure, writePolicy } from './written'

/** How long a batch is known again for: milliseconds. A writer that cannot write for longer has other worries. */
const WRITER_KEPT = 7 * DAY

/** @param lifetime - of the counts, from their first one on: milliseconds */
export async function addBatch({ script }: RedisConnection, batch: Batch, lifetime: number): Promise<Added> {
  const texts = new Map<string, string>()
  const policies = batch.policies.flatMap((count) => policyWords(count, texts))
  const sessions = batch.sessions.flatMap(sessionWords)
  const reply = await script(
    ADD,
    [writerKey(batch.writer), CLOSED, HOURS, DAYS],
    [
      ...[PREFIX, batch.number, lifetime, WRITER_KEPT],
      ...[texts.size, ...[...texts].flat()],
      ...[batch.policies.length, ...policies],
      ...[batch.sessions.length, ...sessions],
    ],
  )
  const [isNew, bookedForward, folded] = Array.isArray(reply) ? reply.map(Number) : []
  return { isNew: isNew === 1, bookedForward: bookedForward ?? 0, folded: folded ?? 0 }
}

function policyWords(counted: PolicyCount, texts: Map<string, string>): readonly Word[] {
  const { hour, domain, policy, failure, count } = counted
  const name = (one: PolicyCount['policy']): string => {
    const text = writePolicy(one)
    if (text.length > LONGEST_POLICY) return TOO_LONG
    const ref = refOf(one, domain, text)
    if (ref !== '') texts.set(ref, text)
    return ref
  }
  const detail = failure === undefined ? ['', ''] : [writeFailure(failure), writeFailure(foldedFailure(failure))]
  return [hour, domain, name(policy), name(foldedPolicy(domain, policy)), ...detail, count]
}

function sessionWords({ hour, domain, host, level, tlsVersion, count }: SessionCount): readonly Word[] {
  const kind = `|${LEVELS.indexOf(level)}|${tlsVersion ?? ''}|`
  return [hour, domain, kind + (host ?? ''), kind, count]
}
