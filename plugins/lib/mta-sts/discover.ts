/**
 * Looking a domain's STS record up (RFC 8461 §3.1).
 *
 * @module
 */

import { isIP } from 'node:net'
import type { Lookup } from '../dns'
import type { StsReason } from './evidence'
import { readStsRecord, stsRecordName, type StsRecordProblem } from './record'

export type Discovered =
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false
      readonly why: Extract<StsReason, 'no-record' | 'several-records' | 'malformed-record' | 'lookup-failed'>
      readonly text: string
    }

const PROBLEMS = {
  none: ['no-record', 'no STS record'],
  several: ['several-records', 'several STS records, which count as none'],
  malformed: ['malformed-record', 'a malformed STS record'],
} as const satisfies Record<StsRecordProblem, readonly [string, string]>

/**
 * Whether a policy is announced, and which version of it.
 *
 * @param fresh - past the cache of the resolver
 */
export async function discover(lookup: Lookup, domain: string, fresh = false): Promise<Discovered> {
  if (domain.startsWith('[') || isIP(domain) !== 0) return { ok: false, why: 'no-record', text: 'an address' } // T22

  const name = stsRecordName(domain)
  const answer = await lookup(name, 'TXT', { fresh })
  if (answer.status === 'failed')
    return { ok: false, why: 'lookup-failed', text: `${name} TXT: ${answer.failure.text}` }
  const record = answer.status === 'found' ? readStsRecord(answer.records) : 'none'
  if (typeof record === 'object') return { ok: true, id: record.id }
  const [why, text] = PROBLEMS[record]
  return { ok: false, why, text: `${name} TXT: ${text}` }
}
