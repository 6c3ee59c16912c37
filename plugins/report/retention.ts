/**
 * Whether outcomes are kept for as long as reports need them.
 *
 * @module
 */

import type { ReportSettings } from '../lib/settings'
import { periodAt } from '../lib/tlsrpt/format'
import { MAIN_FILE } from '../runtime/config'
import { DAY } from '../lib/time'

/**
 * A report is composed when it leaves, at the end of `spread` or later where the TLSRPT record could not be looked up. By then nothing of
 * its period may have been removed.
 *
 * @param retention - of outcomes, in milliseconds: whole days are removed, when they have been over for so long
 * @returns a warning, or none
 */
export function retentionWarnings(
  retention: number,
  { rules, domains, spread, retryFor }: ReportSettings,
): readonly string[] {
  const needed = [rules, ...domains.values()].map(({ send }) => {
    if (send === 'never') return 0
    const { start, end } = periodAt(send, 0)
    return end - start + Math.min(spread, (end - start) / 3) + retryFor
  })
  const days = Math.ceil(Math.max(...needed) / DAY) - 1
  if (days * DAY <= retention) return []
  return [
    `${MAIN_FILE} [store] retention: with less than ${days}d, outcomes may be removed before they are reported (send, spread and retry-for)`,
  ]
}
