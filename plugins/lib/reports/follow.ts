/**
 * What the command `report send` has asked for: reports on a domain are due now.
 *
 * @module
 */

import type { Log } from '../store'
import { reopened } from './course'
import type { Lease, ReportEntry, ReportLedger } from './ledger'

/** Of one domain, the latest first. */
const MOST_REPORTS = 1000

/** Follows all requests that there are. */
export async function followRequests(ledger: ReportLedger, lease: Lease, log: Log, now: () => number): Promise<void> {
  const requests = await ledger.takeSendRequests()
  if (!requests.ok) return
  for (const { domain } of requests.value) {
    const known = await ledger.list({ domain, limit: MOST_REPORTS })
    if (!known.ok) return log('error', `TLS reports on ${domain} were to be sent now: ${known.text}`)
    let count = 0
    for (const entry of known.value) if (await reopen(ledger, lease, entry, now())) count++
    log('notice', `TLS reports on ${domain} were to be sent now: ${count} of ${known.value.length} are due`)
  }
}

async function reopen(ledger: ReportLedger, lease: Lease, entry: ReportEntry, now: number): Promise<boolean> {
  const change = reopened(entry, now)
  if (change === undefined) return false
  const changed = await ledger.change(entry, change, lease)
  return changed.ok && changed.value !== undefined
}
