/**
 * Spans of time, and times as text. Log, bounces, JSON and the command share one form.
 *
 * @module
 */

/** Milliseconds. */
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/**
 * "2027-01-31T23:59:59Z" (ISO 8601, RFC 3339): UTC, whole seconds, fractions are dropped.
 *
 * @param instant - milliseconds since 1970, or a date; a certificate can have one that cannot be read
 */
export function isoTime(instant: number | Date): string {
  const date = new Date(instant)
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString().replace(/\.\d+Z$/, 'Z')
}
