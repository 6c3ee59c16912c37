/**
 * From sessions to counts: those that went alike within one UTC hour are counted together, and written a few times a second.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { createBatcher, createTally, type Counted, type Done, type Log, type NumberedBatch } from '../../store'
import { HOUR } from '../../time'
import { foldedPolicy, LONGEST_POLICY } from './fold'
import type { PolicyResult, SessionOutcome } from './session'
import type { AppliedPolicy } from '../format'
import { type Added, type Batch, type FailureKind, type PolicyCount, type SessionCount } from './counts'

export interface OutcomeRecorder {
  /** Counts one session, or one fetch of a policy. Takes microseconds, and never fails. */
  readonly record: (outcome: SessionOutcome) => void
  /** Writes what was recorded; comes to an end, written or not. */
  readonly flush: () => Promise<void>
  /** The same for the end of the process, where nothing can be waited for. */
  readonly flushNow: () => void
}

export interface OutcomeRecorderOptions {
  readonly store: {
    readonly add: (batch: Batch) => Promise<Done<Added>>
    readonly addNow: (batch: Batch) => Done<Added>
  }
  readonly log: Log
  /** told how many outcomes are given up, since they cannot be written */
  readonly onLost?: (count: number) => void
}

/** Sessions that are counted together. */
type Kind = Pick<SessionOutcome, 'domain' | 'host' | 'level' | 'tlsVersion'> & {
  readonly hour: number
  readonly judged: readonly Pick<PolicyCount, 'policy' | 'failure'>[]
}

/** Makes the recorder of this process. A store that takes nothing delays no delivery: see {@link createBatcher} for what is kept meanwhile. */
export function createOutcomeRecorder({ store, log, onLost }: OutcomeRecorderOptions): OutcomeRecorder {
  const writer = randomUUID()
  const told = talliesFor(log)
  const batchOf = ({ number, counts }: NumberedBatch<Kind>): Batch => ({ writer, number, ...expand(counts) })
  const batcher = createBatcher<Kind>({
    what: 'outcomes',
    log,
    onLost,
    write: async (batch) => {
      const added = await store.add(batchOf(batch))
      if (added.ok) told(added.value)
      return added
    },
    writeNow: (batch) => store.addNow(batchOf(batch)),
  })
  return {
    record: (outcome) => {
      const { outcome: bounded, folded } = withoutOversized(outcome)
      if (folded > 0) told({ isNew: true, bookedForward: 0, folded })
      const kind = kindOf(bounded)
      batcher.add(keyOf(kind), kind)
    },
    flush: batcher.flush,
    flushNow: batcher.flushNow,
  }
}

function talliesFor(log: Log): (added: Added) => void {
  const late = createTally((count) =>
    log('notice', `${count} outcomes were written after their hour was closed for reports: the next report has them`),
  )
  const folded = createTally((count) =>
    log(
      'notice',
      `${count} outcomes were counted with less detail: their domains have too many kinds of them in an hour`,
    ),
  )
  return (added) => {
    if (added.bookedForward > 0) late.add(added.bookedForward)
    if (added.folded > 0) folded.add(added.folded)
  }
}

/** The store does not quote a policy of this length, so it must not wait in memory, where there may be thousands of them. */
function withoutOversized(outcome: SessionOutcome): { readonly outcome: SessionOutcome; readonly folded: number } {
  const folded = outcome.results.filter(({ policy }) => isOversized(policy)).length
  if (folded === 0) return { outcome, folded }
  const results = outcome.results.map(({ policy, ...rest }) => ({
    policy: isOversized(policy) ? foldedPolicy(outcome.domain, policy) : policy,
    ...rest,
  }))
  return { outcome: { ...outcome, results }, folded }
}

function isOversized(policy: AppliedPolicy): boolean {
  if (policy.type === 'no-policy-found' || policy.strings === undefined) return false
  return policy.strings.reduce((sum, { length }) => sum + length, 0) > LONGEST_POLICY
}

function kindOf({ at, domain, host, level, tlsVersion, results, ...addresses }: SessionOutcome): Kind {
  const judged = results.map(({ policy, failure }: PolicyResult) => {
    const { sendingAddress, receivingAddress } = addresses
    const detail: FailureKind | undefined = failure && {
      ...failure,
      sendingAddress,
      receivingHost: host,
      receivingAddress,
    }
    return { policy, failure: detail }
  })
  return { hour: Math.floor(at.getTime() / HOUR) * HOUR, domain, host, level, tlsVersion, judged }
}

function keyOf({ hour, domain, host, level, tlsVersion, judged }: Kind): string {
  return JSON.stringify([hour, domain, host, level, tlsVersion, judged])
}

/** A fetch of a policy that failed is no session (RFC 8460 §4.3.2). */
function expand(kinds: readonly Counted<Kind>[]): Pick<Batch, 'policies' | 'sessions'> {
  return {
    policies: kinds.flatMap(({ item: { hour, domain, judged }, count }) =>
      judged.map(({ policy, failure }) => ({ hour, domain, policy, failure, count })),
    ),
    sessions: kinds.flatMap(({ item: { hour, domain, host, level, tlsVersion }, count }): readonly SessionCount[] =>
      level === 'policy-fetch' ? [] : [{ hour, domain, host, level, tlsVersion, count }],
    ),
  }
}
