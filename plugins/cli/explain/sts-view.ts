/**
 * The STS record as it was found.
 *
 * @module
 */

import { readStsRecord, stsRecordName } from '../../lib/mta-sts'
import type { Evidence } from './gather'

export interface ShownRecord {
  /** where it is */
  readonly name: string
  readonly status: 'found' | 'none' | 'several' | 'malformed' | 'failed'
  readonly id: string | null
  /** the TXT records there; for a failure what went wrong */
  readonly texts: readonly string[]
}

/** Undefined: it was not looked up. */
export function stsRecordOf({ answers, message }: Evidence): ShownRecord | undefined {
  const name = stsRecordName(message.facts.recipientDomain)
  const answer = answers.get(name, 'TXT')
  if (answer === undefined) return undefined
  if (answer.status === 'failed') return { name, status: 'failed', id: null, texts: [answer.failure.text] }
  const texts = answer.status === 'found' ? answer.records : []
  const record = readStsRecord(texts)
  return typeof record === 'string'
    ? { name, status: record, id: null, texts }
    : { name, status: 'found', id: record.id, texts }
}
