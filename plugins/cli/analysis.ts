/**
 * What the commands for reports of others share: the store of an instance, the days that are looked at, and how a report looks.
 *
 * @module
 */

import type { Totals } from '../lib/tlsrpt/parsing'
import type { ReceivedEntry, ReceivedStore } from '../lib/tlsrpt/received'
import { eachEntry, type Paging } from '../runtime/paging'
import { createReceived } from '../runtime/stores'
import type { Answer, Call, Option, Problem } from './command'
import { USUAL_DAYS } from './numbers'
import { unreadable, withStore } from './store'
import { printable } from './text'

const DAY = 86_400_000
const PIECE = 500

/** The option `--days`. */
export const DAYS: Option = {
  type: 'string',
  value: 'N',
  help: `reports that were received in the last N days; default: ${USUAL_DAYS}`,
}

/** Opens the store of an instance for `work`. */
export function withReceived(call: Call, work: (store: ReceivedStore) => Promise<Answer>): Promise<Answer> {
  return withStore(call, createReceived, { readOnly: true }, work)
}

/** The answer where the store could not be used. */
export function unreadableReports(done: { readonly text: string }): Problem {
  return unreadable('the received reports', done, 'outbound-tls/plugins/analysis makes it with the first report')
}

export interface EntryRange {
  readonly days: number
  readonly isCounted: boolean
  /** at most so many */
  readonly most: number
}

/** The entries of some days, the latest first, or why they cannot be read. */
export async function entriesOf(
  store: ReceivedStore,
  { now }: Call['world'],
  { days, isCounted, most }: EntryRange,
): Promise<readonly ReceivedEntry[] | Problem> {
  const since = now() - days * DAY
  const entries: ReceivedEntry[] = []
  const read: Paging<ReceivedEntry>['read'] = (after, limit) =>
    store.entries({ since, isCounted, limit, ...(after && { after }) })
  const done = await eachEntry({ size: PIECE, most, read }, (entry) => entries.push(entry))
  return done.ok ? entries : unreadableReports(done)
}

/** Who says so: the domain that signed, or else the organization in its own words, which anyone can write. */
export function reporterText({ signedBy, organization }: Pick<ReceivedEntry, 'signedBy' | 'organization'>): string {
  return signedBy === undefined ? `"${printable(organization)}"` : printable(signedBy)
}

/** Behind a number of failures: ", 2 of them to fetch the policy". */
export function fetchesText({ fetchFailures }: Pick<Totals, 'fetchFailures'>): string {
  return fetchFailures === 0 ? '' : `, ${fetchFailures} of them to fetch the policy`
}

/** "12 sessions". */
export function sessions(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`
}
