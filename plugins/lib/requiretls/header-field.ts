/**
 * The header field TLS-Required (RFC 8689 §3).
 *
 * @module
 */

/** - `several`: more than one field, which says nothing, whatever they say; `unknown`: another value than "No" */
export type TlsRequiredField = 'none' | 'no' | 'several' | 'unknown'

/**
 * Reads the fields of a message's header.
 *
 * @param values - the bodies of all fields of this name, folded or not
 */
export function readTlsRequired(values: readonly string[]): TlsRequiredField {
  const [value, ...others] = values
  if (value === undefined) return 'none'
  if (others.length > 0) return 'several'
  // "No" is a string of ABNF: in any case (RFC 5234 §2.3)
  return /^[ \t\r\n]*no[ \t\r\n]*$/i.test(value) ? 'no' : 'unknown'
}
