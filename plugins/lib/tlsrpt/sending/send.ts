/**
 * A frozen report goes to its destinations.
 *
 * @module
 */

import type { Done, Log } from '../../store'
import { errorText } from '../../error-text'
import { claim, retryAt, type Claim, type DeliveryStatus } from './attempt'
import type { Lease, Refusing, ReportEntry } from './entry'
import type { ReportLedger } from './ledger'
import { logGivenUp, type StatusRecorder } from './delivery-status'
import type { SuppressionLists } from './suppression'
import type { Throttle } from './throttle'
import type { OutgoingReport, Transmission, Transmit } from './transmission'
import { reportName } from './wording'

export interface SendOptions {
  readonly ledger: ReportLedger
  readonly transmit: Transmit
  readonly throttle: Throttle
  readonly suppression: SuppressionLists
  readonly refusing: (rua: string) => Refusing | undefined
  readonly statuses: StatusRecorder
  /** milliseconds */
  readonly retryFor: number
  readonly log: Log
  readonly now: () => number
  readonly random: () => number
  /** the lease, while it holds: nothing is tried without it */
  readonly lease: () => Lease | undefined
}

/**
 * Tries all destinations that are due, and writes down what came of it.
 *
 * @returns false: the ledger cannot be used now, or another worker has changed it
 */
export async function send(entry: ReportEntry, options: SendOptions): Promise<boolean> {
  const { ledger, throttle } = options
  const entered: string[] = []
  const claimed = claim(entry, {
    now: options.now(),
    retryFor: options.retryFor,
    suppressedBy: (rua) => options.suppression.domain(entry.domain) ?? options.suppression.rua(rua),
    refusing: options.refusing,
    mustWait: (rua) => {
      const wait = throttle.enter(rua)
      if (wait === undefined) entered.push(rua)
      return wait
    },
  })
  const frozen = await frozenFor(entry, claimed, ledger)
  const written = frozen.ok ? await writeClaim(entry, claimed, frozen.value, options) : undefined
  if (written === undefined || !frozen.ok || frozen.value === undefined) {
    for (const rua of entered) throttle.leave(rua)
    return written !== undefined
  }
  const { domain, start, end, reportId } = entry
  const report = { domain, period: { start, end }, reportId, frozen: frozen.value }
  await Promise.all(claimed.attempts.map((attempt) => tryOne(report, written, attempt, options)))
  return true
}

async function frozenFor(
  entry: ReportEntry,
  { attempts }: Claim,
  ledger: ReportLedger,
): Promise<Done<Uint8Array | undefined>> {
  return attempts.length === 0 ? { ok: true, value: undefined } : ledger.frozen(entry)
}

/** @returns the report as it is claimed; undefined: it is not, or the lease has run out meanwhile */
async function writeClaim(
  entry: ReportEntry,
  { change, attempts }: Claim,
  frozen: Uint8Array | undefined,
  { ledger, lease, log }: SendOptions,
): Promise<ReportEntry | undefined> {
  const held = lease()
  if (held === undefined) return undefined
  const isGone = attempts.length > 0 && frozen === undefined
  const gone = { state: 'given-up', dueAt: Infinity, note: 'what was frozen of it is gone' } as const
  const changed = await ledger.change(entry, isGone ? gone : change, held)
  if (!changed.ok || changed.value === undefined) return undefined
  logGivenUp(log, changed.value)
  for (const { rua, isDoubt } of attempts) {
    if (isDoubt)
      log('notice', `${reportName(entry)}: whether ${rua} has it is not known, so the same report goes again`)
  }
  return attempts.length === 0 || lease() !== undefined ? changed.value : undefined // others would try it too
}

async function tryOne(
  report: OutgoingReport,
  entry: ReportEntry,
  { rua, attempt }: Claim['attempts'][number],
  options: SendOptions,
): Promise<void> {
  const transmission = await carefully(options.transmit, report, rua)
  options.throttle.leave(rua)
  await options.statuses.recordDeliveryStatus(entry, rua, statusOf(transmission, entry, attempt, options))
}

/** A destination that cannot be tried must not end the worker. */
async function carefully(transmit: Transmit, report: OutgoingReport, rua: string): Promise<Transmission> {
  try {
    return await transmit(report, rua)
  } catch (error) {
    return { status: 'failed', isFinal: false, note: errorText(error) }
  }
}

function statusOf(
  transmission: Transmission,
  entry: ReportEntry,
  attempt: number,
  { now, retryFor, random }: SendOptions,
): DeliveryStatus {
  const { status, note } = transmission
  if (status === 'accepted') return { status, note }
  if (status === 'queued') return { status, note, nextAt: now() + retryFor, attempt }
  const { isFinal, retryAfter = 0 } = transmission
  const times = { attempts: attempt, firstTriedAt: entry.firstTriedAt ?? now() }
  const nextAt = isFinal ? Infinity : retryAt(times, { now: now(), retryFor, retryAfter, random })
  return { status, note, nextAt, attempt, isRefused: isFinal }
}
