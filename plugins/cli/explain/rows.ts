/**
 * Rows of two columns, as all of an explanation has them.
 *
 * @module
 */

import { printable } from '../text'
import type { ShownSetting } from './settings'

export type Row = readonly [string, string]

/** "optional ([rule:partner]: the auditors want it, until 2027-01-31)". */
export function settingRow({ key, value, setBy, until }: ShownSetting): Row {
  const { section, explicit, reason } = setBy
  const why = reason === undefined ? '' : `: ${reason}`
  const end = until === undefined ? '' : `, until ${until.toISOString().slice(0, 10)}`
  const who = explicit ? ` (${section}${why}${end})` : section === 'static route' ? ' (static route)' : ' (default)'
  return [key, printable(`${value ?? 'none'}${who}`)]
}
