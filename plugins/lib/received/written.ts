/**
 * How a report is written down: JSON in gzip, cut until it is of a size that many of them may have.
 *
 * @module
 */

import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { FOLDED } from '../tlsrpt'
import type { ReceivedDetail, ReceivedPolicy } from '../tlsrpt-reading'
import type { KeptReport, ReceivedEntry } from './kept'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** Bytes. A report with a thousand different details takes about half of it, unless somebody wants it to take more. */
const LARGEST = 64 * 1024
/** What we have written ourselves is no bomb; a file that somebody else has changed may hold one. */
const LARGEST_TEXT = 16 * 1024 * 1024

/** Writes a report, without its entry. */
export async function writeReport(kept: KeptReport): Promise<Uint8Array> {
  let bytes = new Uint8Array()
  for (const { report, ours, notes } of shorterAndShorter(kept)) {
    bytes = await compress(JSON.stringify({ report, ours, notes }))
    if (bytes.length <= LARGEST) break
  }
  return bytes
}

/** Reads what {@link writeReport} wrote. Rejects for anything else. */
export async function readWritten(entry: ReceivedEntry, bytes: Uint8Array): Promise<KeptReport> {
  const text = (await decompress(bytes, { maxOutputLength: LARGEST_TEXT })).toString()
  const { report, ours, notes } = JSON.parse(text) as Omit<KeptReport, 'entry'>
  return { entry, report, ours, notes }
}

export function writeEntry(entry: ReceivedEntry): string {
  return JSON.stringify(entry)
}

export function readEntry(text: string): ReceivedEntry {
  return JSON.parse(text) as ReceivedEntry // only we write it
}

/** First without the text of policies, then with fewer details, last with fewer policies. The sums stay what they are in the entry. */
function* shorterAndShorter(kept: KeptReport): Generator<KeptReport, void, undefined> {
  yield kept
  const note = { code: 'details-folded', text: 'cut to be kept' } as const
  const shorter = (most: number, policies = Infinity): KeptReport => ({
    ...kept,
    notes: [...kept.notes.filter(({ code }) => code !== note.code), note],
    ours: kept.ours.slice(0, policies),
    report: {
      ...kept.report,
      policies: kept.report.policies.slice(0, policies).map((policy) => withFewer(policy, most)),
    },
  })
  yield shorter(Infinity)
  yield shorter(100)
  yield shorter(10)
  yield shorter(0, 100)
}

function withFewer(policy: ReceivedPolicy, most: number): ReceivedPolicy {
  const details = policy.details.toSorted((a, b) => b.count - a.count)
  return { ...policy, strings: [], mx: [], details: [...details.slice(0, most), ...folded(details.slice(most))] }
}

function folded(details: readonly ReceivedDetail[]): readonly ReceivedDetail[] {
  const count = details.reduce((sum, detail) => sum + detail.count, 0)
  return details.length === 0 ? [] : [{ type: 'other', reason: FOLDED, count }]
}
