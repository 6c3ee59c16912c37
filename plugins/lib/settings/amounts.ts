/**
 * Durations and sizes as administrators write them: `500ms 30s 5m 2h 7d`, and bytes or `25mb`.
 *
 * @module
 */

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES: Readonly<Record<string, number>> = { '': 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** Reads a duration. Without a unit it is none: `30` could be anything. @returns milliseconds */
export function parseDuration(text: string): number | undefined {
  return amount(/^(\d{1,9})(ms|s|m|h|d)$/.exec(text), MILLISECONDS)
}

/** Reads a size; a plain number is bytes, a kb has 1024 of them. @returns bytes */
export function parseSize(text: string): number | undefined {
  return amount(/^(\d{1,12})(kb|mb|gb|)$/i.exec(text), BYTES)
}

function amount(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = match ?? []
  if (digits === undefined || unit === undefined) return undefined
  return Number(digits) * (units[unit.toLowerCase()] ?? NaN)
}
