/**
 * Numbers as they are given to the command.
 *
 * @module
 */

/** A whole number from 1 to `most`; undefined: it is none. */
export function readNumber(text: unknown, most: number): number | undefined {
  const number = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
  return number >= 1 && number <= most ? number : undefined
}
