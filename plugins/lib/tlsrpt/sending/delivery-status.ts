/**
 * What becomes known of a report at a destination: from an attempt, or later from Haraka's queue. It is recorded without the lease, and
 * kept in memory while the store cannot be used.
 *
 * @module
 */

import type { Log } from '../../store'
import { isoTime } from '../../time'
import type { DeliveryStatus } from './attempt'
import type { ReportEntry, ReportKey } from './entry'
import type { ReportLedger } from './ledger'
import { reportName } from './wording'

/** How much is kept while the ledger cannot be written. */
const MOST_KEPT = 10_000

interface Observed {
  readonly key: ReportKey
  readonly rua: string
  readonly status: DeliveryStatus
}

export interface StatusRecorder {
  /** Records a status, now or as soon as the ledger can be written. */
  readonly recordDeliveryStatus: (key: ReportKey, rua: string, status: DeliveryStatus) => Promise<void>
  /** Records what could not be recorded before. */
  readonly retry: () => Promise<void>
}

/** Makes it. Nothing rejects. */
export function createStatusRecorder(ledger: Pick<ReportLedger, 'recordStatus'>, log: Log): StatusRecorder {
  let kept: Observed[] = []
  const write = async (observed: Observed): Promise<boolean> => {
    const { key, rua, status } = observed
    const recorded = await ledger.recordStatus(key, rua, status)
    if (recorded.ok && recorded.value !== undefined) logStatus(log, observed, recorded.value.after)
    return recorded.ok
  }
  const keep = (observed: Observed): void => {
    kept.push(observed)
    if (kept.length <= MOST_KEPT) return
    const { key, rua } = kept.shift() ?? observed
    log('error', `what became of the TLS report on ${key.domain} at ${rua} could not be written down, and is forgotten`)
  }
  return {
    recordDeliveryStatus: async (key, rua, status) => {
      const observed = { key, rua, status }
      if (!(await write(observed))) keep(observed)
    },
    retry: async () => {
      const again = kept
      kept = []
      for (const [index, observed] of again.entries()) {
        if (await write(observed)) continue
        kept = [...again.slice(index), ...kept]
        return
      }
    },
  }
}

function logStatus(log: Log, { rua, status }: Observed, entry: ReportEntry): void {
  const name = reportName(entry)
  switch (status.status) {
    case 'accepted':
      return log('info', `${name}: accepted by ${rua}: ${status.note}`)
    case 'queued':
      return log('debug', `${name}: queued for ${rua}`)
    case 'deferred':
      return log('info', `${name}: ${rua} has not taken it yet: ${status.note}`)
    case 'failed': {
      const next = status.nextAt === Infinity ? 'not tried again' : `tried again at ${isoTime(status.nextAt)}`
      log('info', `${name}: ${rua} has not taken it, ${next}: ${status.note}`)
      logGivenUp(log, entry)
    }
  }
}

/** A report that was wanted and has not arrived leaves no other trace. */
export function logGivenUp(log: Log, entry: ReportEntry): void {
  if (entry.state !== 'given-up') return
  const tried = entry.destinations.map(
    ({ rua, attempts, note }) => `${rua} (${attempts} attempts): ${note ?? 'no answer'}`,
  )
  log('warn', `${reportName(entry)} given up: ${tried.join(' | ') || (entry.note ?? '')}`)
}
