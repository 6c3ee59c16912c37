/**
 * Remote text in a sentence of ours: in a log line, a bounce, a report.
 *
 * @module
 */

/** `text` in printable US-ASCII, at most `longest` characters: a terminal obeys C1 controls, too, and turns text around (U+202E). */
export function printable(text: string, longest: number): string {
  const shown = text.replace(/[^\x20-\x7e]/g, '?')
  return shown.length > longest ? `${shown.slice(0, longest)}...` : shown
}
