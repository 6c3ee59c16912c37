/**
 * The TXT record at `_mta-sts.<policy domain>`: it says that there is a policy, and by its id when to fetch it again (RFC 8461 §3.1).
 *
 * @module
 */

/** The one usable record of a policy domain. */
export interface StsRecord {
  /** names this version of the policy; ids have no order (RFC 8461 §3.1) */
  readonly id: string
  /** what was accepted although a stricter reader would not have */
  readonly notes: readonly string[]
}

/** Why no policy is available now. None of them ends the validity of a cached policy (T4). */
export type StsRecordProblem = 'none' | 'several' | 'malformed'

const FIELD = '[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\\x21-\\x3a\\x3c\\x3e-\\x7e]+'
const RECORD = new RegExp(`^v=STSv1(?:[ \\t]*;[ \\t]*${FIELD})+(?:[ \\t]*;[ \\t]*)?$`)
const ID = /^[A-Za-z0-9]{1,32}$/

/** Where the record of a policy domain is. The parent domain is never asked (T22). */
export function stsRecordName(domain: string): string {
  return `_mta-sts.${domain}`
}

/**
 * Picks and reads the STS record among the TXT records found at {@link stsRecordName} (T1 to T5).
 *
 * @param records - one string for each record, its character-strings joined without anything between them (T1)
 */
export function readStsRecord(records: readonly string[]): StsRecord | StsRecordProblem {
  // T4, erratum 6285: the grammar lets white space stand before the first ";", the prefix in the text does not; we follow the grammar
  const candidates = records.filter((record) => /^v=STSv1[ \t]*;/.test(record))
  const record = candidates[0]
  if (record === undefined) return 'none'
  if (candidates.length > 1) return 'several'
  if (!RECORD.test(record)) return 'malformed'

  const id = /;[ \t]*id=([^ \t;]*)/.exec(record)?.[1] // the first one counts (T5)
  if (id === undefined || !ID.test(id)) return 'malformed'
  return { id, notes: record.startsWith('v=STSv1;') ? [] : ['white space before the first ";"'] }
}
