/**
 * What the command `report send` has asked for: reports on a domain are due now.
 *
 * @module
 */

import type { Log } from '../../store'
import type { Lease } from './entry'
import type { ReportLedger } from './ledger'

/** Follows all requests that there are. */
export async function followRequests(ledger: ReportLedger, lease: Lease, log: Log, now: () => number): Promise<void> {
  for (;;) {
    const followed = await ledger.followRequest(lease, now())
    if (!followed.ok || followed.value === undefined) return
    const { domain, known, due } = followed.value
    log('notice', `TLS reports on ${domain} were to be sent now: ${due} of ${known} are due`)
  }
}
