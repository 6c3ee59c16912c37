/**
 * The field `X-TLS-Report-Error`, which tells the recipient of a message what was wrong with the reports in it.
 *
 * @module
 */

import type { Transaction } from '../runtime/haraka'

const NAME = 'X-TLS-Report-Error'
const LONGEST = 250

/** Removes what others have written, since only we know, and writes what is wrong in one line. @param text - undefined: nothing */
export function setErrorHeader(transaction: Transaction, text: string | undefined): void {
  const { header_list: fields } = transaction.header
  // core's own removal leaves alone what has white space before the colon, which some readers take for the field
  for (let at = fields.length - 1; at >= 0; at--)
    if (/^x-tls-report-error[ \t]*:/i.test(fields[at] ?? '')) fields.splice(at, 1)
  transaction.remove_header(NAME)
  if (text !== undefined) transaction.add_header(NAME, oneLine(text))
}

function oneLine(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?')
  return printable.length > LONGEST ? `${printable.slice(0, LONGEST)}...` : printable
}
