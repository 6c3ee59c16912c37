/**
 * A report whose time has come: whether anybody wants it (RFC 8460 §3), and what it says, once and for all.
 *
 * @module
 */

import { isIP } from 'node:net'
import { errorText } from '../../error-text'
import type { OutcomeStore } from '../counting'
import type { Done } from '../../store'
import { readTlsrptRecord, type PolicyFacts, type ReportEndpoint } from '../format'
import { compose } from './compose'
import { cut, firstDelay, retryAt } from './attempt'
import type { Destination, EntryChange, ReportEntry } from './entry'
import { reportingOf, type ReporterSettings } from './settings'
import type { SuppressionLists } from './suppression'

export interface PrepareOptions {
  /**
   * The TXT records at `tlsrptRecordName(domain)`, one string for each; none where there are none. Not done: it is not known, as after a
   * server failure.
   */
  readonly lookupTlsrpt: (domain: string) => Promise<Done<readonly string[]>>
  readonly settings: ReporterSettings
  readonly suppression: SuppressionLists
  readonly now: () => number
  readonly random: () => number
}

/** What scheduled reports say, read together; of those that are left out the counts cannot be read now, or are not wanted any more. */
export async function readFacts(
  store: Pick<OutcomeStore, 'policiesOfEach'>,
  entries: readonly ReportEntry[],
  mayGoOn: () => boolean,
): Promise<ReadonlyMap<ReportEntry, readonly PolicyFacts[]>> {
  const facts = new Map<ReportEntry, readonly PolicyFacts[]>()
  for (const those of Map.groupBy(entries, ({ start, end }) => `${start} ${end}`).values()) {
    if (!mayGoOn()) break
    const [{ start, end } = { start: 0, end: 0 }] = those
    const domains = those.map(({ domain }) => domain)
    const read = await store.policiesOfEach(domains, { start, end })
    if (read.ok) read.value.forEach((policies, index) => those[index] && facts.set(those[index], policies))
  }
  return facts
}

/** Decides on a scheduled report: frozen, not wanted, given up, or looked up again later. */
export async function prepare(
  entry: ReportEntry,
  policies: readonly PolicyFacts[],
  options: PrepareOptions,
): Promise<EntryChange> {
  const { domain } = entry
  const pattern = options.suppression.domain(domain)
  if (pattern !== undefined) return notWanted(`suppressed: ${pattern}`)
  if (isIP(domain) !== 0) return notWanted('a relay that is named by its address, which publishes nothing')
  if (policies.length === 0) return notWanted('no sessions left to report')
  const failed = sum(policies, ({ failures }) => failures)
  if (failed === 0 && reportingOf(options.settings, domain).when === 'failures')
    return notWanted('no failures, and when = failures')

  const found = await options.lookupTlsrpt(domain)
  if (!found.ok) return later(entry, options, `TLSRPT lookup failed: ${found.text}`)
  const record = readTlsrptRecord(found.value)
  const notes = record.notes.join('; ')
  if (record.status !== 'found') return notWanted(notes || 'no TLSRPT record')

  const sessions = { successful: sum(policies, ({ successes }) => successes), failed }
  return { ...(await freeze(entry, policies, record.endpoints, notes, options)), sessions }
}

async function freeze(
  entry: ReportEntry,
  policies: readonly PolicyFacts[],
  endpoints: readonly ReportEndpoint[],
  notes: string,
  { settings, now }: PrepareOptions,
): Promise<EntryChange> {
  try {
    const { compressed, folded, fits } = await compose(entry, policies, settings)
    if (!fits) return givenUp('larger than max-size, although all that can be folded is')
    const destinations = endpoints.map((endpoint) => waiting(endpoint, now()))
    const note = [folded === 'nothing' ? '' : `${folded} folded for max-size`, notes].filter(Boolean).join('; ')
    const fresh = { state: 'sending', destinations, dueAt: now(), firstTriedAt: undefined } as const
    return { ...fresh, note: note === '' ? undefined : cut(note), frozen: compressed }
  } catch (error) {
    return givenUp(`cannot be composed: ${errorText(error)}`) // a mistake of ours
  }
}

function waiting(endpoint: ReportEndpoint, now: number): Destination {
  const rua = endpoint.kind === 'mailto' ? `mailto:${endpoint.address}` : endpoint.url
  return { rua, state: 'waiting', attempts: 0, nextAt: now, note: undefined }
}

function notWanted(note: string): EntryChange {
  return { state: 'not-wanted', dueAt: Infinity, note: cut(note) }
}

function givenUp(note: string): EntryChange {
  return { state: 'given-up', dueAt: Infinity, note: cut(note) }
}

/** Name servers that are away are asked again, less and less often, for as long as a report is tried. */
function later(entry: ReportEntry, { settings, now, random }: PrepareOptions, note: string): EntryChange {
  const firstTriedAt = entry.firstTriedAt ?? now()
  const { retryFor } = settings
  const attempts = 1 + Math.floor(Math.log2(1 + Math.max(0, now() - firstTriedAt) / firstDelay(retryFor)))
  const dueAt = retryAt({ attempts, firstTriedAt }, { now: now(), retryFor, random })
  if (dueAt === Infinity) return givenUp(note)
  return { dueAt, firstTriedAt, note: cut(note) }
}

function sum(policies: readonly PolicyFacts[], count: (policy: PolicyFacts) => number): number {
  return policies.reduce((total, policy) => total + count(policy), 0)
}
