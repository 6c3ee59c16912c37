/**
 * The destinations of a report as text, for stores that have no place for lists: JSON, which has neither Infinity nor undefined.
 *
 * @module
 */

import type { Destination } from './ledger'

export function writeDestinations(destinations: readonly Destination[]): string {
  return JSON.stringify(destinations.map((one) => ({ ...one, nextAt: one.nextAt === Infinity ? null : one.nextAt })))
}

/** Reads what {@link writeDestinations} has written; nobody else writes there. */
export function readDestinations(text: string): readonly Destination[] {
  const stored = JSON.parse(text) as readonly (Omit<Destination, 'nextAt' | 'note'> & {
    readonly nextAt: number | null
    readonly note?: string
  })[]
  return stored.map((one) => ({ ...one, nextAt: one.nextAt ?? Infinity, note: one.note }))
}
