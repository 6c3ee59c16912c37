/**
 * What the commands for reports of others share: the store of an instance, the days that are looked at, and how a report looks.
 *
 * @module
 */

import type { ReceivedEntry, ReceivedStore } from '../lib/received'
import { isoTime } from '../lib/time'
import { createReceived } from '../runtime/stores'
import type { Answer, Call, Option, Problem } from './command'
import { groundOf, openInstance } from './instance'
import { readNumber } from './numbers'
import { printable } from './text'

const DAY = 86_400_000
const DEFAULT_DAYS = 7
const MOST_DAYS = 3650
const PIECE = 500

/** The option `--days`. */
export const DAYS: Option = {
  type: 'string',
  value: 'N',
  help: `reports that were received in the last N days; default: ${DEFAULT_DAYS}`,
}

/** Opens the store of an instance for `work`. */
export async function withReceived(call: Call, work: (store: ReceivedStore) => Promise<Answer>): Promise<Answer> {
  const instance = await openInstance(call)
  if ('problems' in instance) return instance
  const store = createReceived(instance.settings.store, { ...groundOf(instance), readOnly: true })
  try {
    return await work(store)
  } finally {
    store.end()
  }
}

/** The answer where the store could not be used. */
export function unreadable({ text }: { readonly text: string }): Problem {
  const hint = /no such file$|no tables for received yet$/.test(text)
    ? ' (outbound-tls/plugins/analysis makes it with the first report)'
    : ''
  return { code: 3, problems: [`the received reports: ${printable(text)}${hint}`] }
}

/** The days that the call is about. */
export function readDays({ options }: Call): number | Problem {
  const days = readNumber(options.days ?? String(DEFAULT_DAYS), MOST_DAYS)
  return days ?? { code: 2, problems: [`--days takes a whole number from 1 to ${MOST_DAYS}`] }
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
  for (;;) {
    const after = entries.at(-1)
    const limit = Math.min(PIECE, most - entries.length)
    const page = await store.entries({ since, isCounted, limit, ...(after && { after }) })
    if (!page.ok) return unreadable(page)
    entries.push(...page.value)
    if (page.value.length < limit || entries.length >= most) return entries
  }
}

/** A report for programs; docs/command.md has it field by field. */
export function entryJson(entry: ReceivedEntry): Readonly<Record<string, unknown>> {
  const { id, receivedAt, source, signedBy, isCounted, organization, contact, reportId, start, end } = entry
  return {
    id,
    receivedAt: isoTime(receivedAt),
    source,
    signedBy: signedBy ?? null,
    counted: isCounted,
    organization,
    contact: contact ?? null,
    reportId,
    start: isoTime(start),
    end: isoTime(end),
    domains: entry.domains,
    successes: entry.successes,
    failures: entry.failures,
  }
}

/** Who says so: the domain that signed, or else the organization in its own words, which anyone can write. */
export function reporterText({ signedBy, organization }: Pick<ReceivedEntry, 'signedBy' | 'organization'>): string {
  return signedBy === undefined ? `"${printable(organization)}"` : printable(signedBy)
}

/** "12 sessions". */
export function sessions(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`
}
