/**
 * Policies as reports quote them: one string for each record or line (RFC 8460 §4.5, R13, R14).
 *
 * @module
 */

import type { TlsaData } from '../../dns'

/** A TLSA RRset, usable records and others: `3 1 1 HEX` for each, without repetitions, in an order that answers do not change. */
export function tlsaStrings(records: readonly TlsaData[]): readonly string[] {
  const strings = records.map(({ usage, selector, matchingType, data }) =>
    `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('hex').toUpperCase()}`.trimEnd(),
  )
  return [...new Set(strings)].sort()
}

/** A policy file as it was fetched, errors included: one string for each line, without the line ends, and the blank lines at the end. */
export function stsStrings(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.toWellFormed()) // I-JSON has no lone surrogates (RFC 7493 §2.1)
  return lines.slice(0, lines.findLastIndex((line) => /[^ \t]/.test(line)) + 1)
}
