/**
 * The parameter REQUIRETLS of the MAIL command (RFC 8689 §2).
 *
 * @module
 */

/** - `repeated`, `with-value`: it has neither a value nor a second instance (RFC 5321 §4.1.1.11) */
export type RequireTlsParameter = 'absent' | 'present' | 'repeated' | 'with-value'

/** A parameter (RFC 5321 §4.1.2). No path ends like one. */
const parameter = /^([A-Za-z0-9][A-Za-z0-9-]*)(=[^=]*)?$/

/**
 * Reads REQUIRETLS out of a whole command line: what core makes of it has forgotten repetitions.
 *
 * @param line - "MAIL FROM:<someone@example.org> REQUIRETLS"
 */
export function readRequireTls(line: string): RequireTlsParameter {
  const words = line.trimEnd().split(/\s+/)
  const path = words.findLastIndex((word) => !parameter.test(word)) // it may have spaces in quotes, and words like ours
  const found = words.slice(path + 1).filter((word) => /^REQUIRETLS(=|$)/i.test(word))
  if (found.length === 0) return 'absent'
  if (found.some((word) => word.includes('='))) return 'with-value'
  return found.length === 1 ? 'present' : 'repeated'
}
