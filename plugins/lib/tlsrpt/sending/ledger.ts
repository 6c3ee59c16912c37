/**
 * The ledger of reports. All workers of all hosts share it, and it outlives them. One worker at a time works through it, the holder of
 * the lease.
 *
 * @module
 */

import type { Calls } from '../../store'
import type { sql } from './sql'

/** As other threads call it: see `sql.ts` for its methods. Nothing rejects: what could not be done is a result. */
export type ReportLedger = Calls<typeof sql.methods> & { readonly end: () => void }
