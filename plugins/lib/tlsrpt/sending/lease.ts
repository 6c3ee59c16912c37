/**
 * The right of one worker to send reports: taken when it is free, kept for as long as the worker lives, given back at its end.
 *
 * @module
 */

import type { Log } from '../../store'
import type { Lease } from './entry'
import type { ReportLedger } from './ledger'

/** How long the lease of a worker that dies keeps the others waiting: milliseconds. */
const LEASE = 60_000
/** It is renewed when less than this is left of it. */
const RENEWED_BEFORE = 45_000

export interface LeaseKeeper {
  /** Takes or renews the lease where that is needed. @returns whether we have it */
  readonly keep: () => Promise<boolean>
  /** The lease while it holds. A process that was stopped for a while finds that it does not. */
  readonly held: () => Lease | undefined
  readonly giveBack: () => Promise<void>
}

export interface LeaseOptions {
  readonly ledger: ReportLedger
  readonly log: Log
  /** of this worker; no other has it */
  readonly holder: string
  /** monotonic, milliseconds: the lease must not last longer because the clock is set back */
  readonly clock: () => number
}

export function createLeaseKeeper({ ledger, log, holder, clock }: LeaseOptions): LeaseKeeper {
  let lease: Lease | undefined
  let endsAt = -Infinity

  const held = (): Lease | undefined => (clock() < endsAt ? lease : undefined)
  return {
    held,
    keep: async () => {
      if (held() !== undefined && clock() < endsAt - RENEWED_BEFORE) return true
      const asked = clock()
      const taken = await ledger.takeLease(holder, LEASE)
      if (!taken.ok) return held() !== undefined // what is left of it
      if (taken.value?.fence !== lease?.fence)
        log('info', taken.value ? 'this worker sends TLS reports from now on' : 'another worker sends TLS reports now')
      lease = taken.value
      endsAt = lease === undefined ? -Infinity : asked + LEASE
      return held() !== undefined
    },
    giveBack: async () => {
      endsAt = -Infinity
      if (lease !== undefined) await ledger.giveLeaseBack(lease)
      lease = undefined
    },
  }
}
