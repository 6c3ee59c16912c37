/**
 * How a whole report is written down: JSON, cut until it is of a size that many of them may have.
 *
 * @module
 */

import { FOLDED } from '../format'
import type { ReceivedDetail, ReceivedPolicy } from '../parsing'
import type { KeptReport, ReceivedEntry } from './kept'

/** Characters. A report with a thousand different details takes less, unless its sender wants it to take more. */
const LARGEST = 256 * 1024

/** Writes a report, without its entry. */
export function writeDocument(kept: KeptReport): string {
  let text = ''
  for (const { report, ours, notes } of truncations(kept)) {
    text = JSON.stringify({ report, ours, notes })
    if (text.length <= LARGEST) break
  }
  return text
}

/** Reads what {@link writeDocument} wrote; undefined for anything else. */
export function readDocument(entry: ReceivedEntry, text: string): KeptReport | undefined {
  try {
    const { report, ours, notes } = JSON.parse(text) as Omit<KeptReport, 'entry'>
    return { entry, report, ours, notes }
  } catch {
    return undefined
  }
}

/** First without the text of policies, then with fewer details, last with fewer policies. The sums stay what they are in the entry. */
function* truncations(kept: KeptReport): Generator<KeptReport, void, undefined> {
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
