/**
 * Connections by level over time: hours put together into as many columns as one can tell apart.
 *
 * @module
 */

import { LEVELS, type ConnectionLevel } from '../../lib/monitor'
import type { LevelCount } from '../../lib/tlsrpt/counting'
import type { Done } from '../../lib/store'
import { DAY, HOUR } from '../../lib/time'
import { timeOf, type Time } from '../../views'
import type { Sources } from './sources'

/** What can be chosen, and how long a column lasts. */
export const SPANS = {
  '24h': { length: DAY, step: HOUR },
  '7d': { length: 7 * DAY, step: 6 * HOUR },
  '30d': { length: 30 * DAY, step: DAY },
} as const

export type SpanName = keyof typeof SPANS

export type Counts = Readonly<Record<ConnectionLevel, number>>

export interface Connections {
  readonly span: SpanName
  readonly from: Time | null
  /** the end of the column that is being filled */
  readonly to: Time | null
  /** of one column, in seconds */
  readonly step: number
  readonly columns: readonly { readonly at: Time | null; readonly counts: Counts }[]
  readonly totals: Counts
  /** connections that were opened with TLS, by its version */
  readonly tlsVersions: Readonly<Record<string, number>>
}

export function readSpan(text: string | null): SpanName {
  return text !== null && Object.hasOwn(SPANS, text) ? (text as SpanName) : '24h'
}

/** Reads the hours of a span. */
export async function readConnections(
  { outcomes, now }: Pick<Sources, 'outcomes' | 'now'>,
  span: SpanName,
): Promise<Done<Connections>> {
  const { length, step } = SPANS[span]
  const to = Math.floor(now() / step) * step + step
  const from = to - length
  const done = await outcomes.levels({ start: from, end: to })
  return done.ok ? { ok: true, value: addUp(done.value, span, from, to) } : done
}

/** @param all - counts of hours that are within the span, or not: these are left out */
export function addUp(all: readonly LevelCount[], span: SpanName, from: number, to: number): Connections {
  const { step } = SPANS[span]
  const columns = Array.from({ length: (to - from) / step }, none)
  const totals = none()
  const tlsVersions: Record<string, number> = {}
  for (const { hour, level, tlsVersion, count } of all) {
    const column = columns[Math.floor((hour - from) / step)]
    if (column === undefined) continue
    column[level] += count
    totals[level] += count
    if (tlsVersion !== undefined) tlsVersions[tlsVersion] = (tlsVersions[tlsVersion] ?? 0) + count
  }
  return {
    span,
    from: timeOf(from),
    to: timeOf(to),
    step: step / 1000,
    columns: columns.map((counts, index) => ({ at: timeOf(from + index * step), counts })),
    totals,
    tlsVersions,
  }
}

export function none(): Record<ConnectionLevel, number> {
  return Object.fromEntries(LEVELS.map((level) => [level, 0])) as Record<ConnectionLevel, number>
}
