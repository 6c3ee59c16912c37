/**
 * Finding the TLSA records of a host: under which name, and whether DANE applies to it at all
 * (RFC 7672 §2.1.3, §2.2.2 and §2.2.3). The one part of this module that asks DNS.
 *
 * @module
 */

import { isIP } from 'node:net'
import type { Answer, DnsFailure, Lookup } from '../dns'
import { canonicalHost } from './name'
import { sortRecords, type TlsaRecord, type UnusableRecord } from './record'

export type TlsaEvidence =
  /** DANE does not apply to the host */
  | {
      readonly status: 'none'
      readonly why: 'address-insecure' | 'absent' | 'insecure' | 'ip-address' | 'not-looked-up'
    }
  /** a secure TLSA RRset: TLS is mandatory, even without a usable record in it (D14, D35) */
  | {
      readonly status: 'found'
      readonly baseDomain: string
      /** `_25._tcp.` and the base domain */
      readonly queryName: string
      readonly records: readonly TlsaRecord[]
      readonly usable: readonly TlsaRecord[]
      readonly unusable: readonly UnusableRecord[]
    }
  /** the host must not be used (D8, D31) */
  | {
      readonly status: 'failed'
      /** what was asked for */
      readonly name: string
      readonly baseDomain: string
      readonly failure: DnsFailure
    }

/** The answers for a host's addresses, which are looked up before (D26). */
export interface AddressAnswers {
  readonly a: Answer<'A'>
  readonly aaaa: Answer<'AAAA'>
}

type None = Extract<TlsaEvidence, { status: 'none' }>
type Failed = Extract<TlsaEvidence, { status: 'failed' }>
type Candidates = { readonly status: 'candidates'; readonly baseDomains: readonly string[] } | None | Failed

/**
 * Finds the TLSA records of a host. Never rejects.
 *
 * A host without addresses is not asked about (`not-looked-up`): no connection is made to it (D27).
 *
 * @param host - MX host, relay or domain without MX; an IP address or address literal has no TLSA records (D18)
 * @param port - where the connection goes (D32)
 * @param options - `fresh` goes past the resolver's cache
 */
export async function findTlsa(
  lookup: Lookup,
  host: string,
  port: number,
  addresses: AddressAnswers,
  options: { readonly fresh?: boolean } = {},
): Promise<TlsaEvidence> {
  const name = canonicalHost(host)
  if (isIP(name) !== 0 || name.startsWith('[')) return { status: 'none', why: 'ip-address' }
  const candidates = await findCandidates(lookup, name, addresses, options)
  if (candidates.status !== 'candidates') return candidates

  let why: None['why'] = 'absent'
  for (const baseDomain of candidates.baseDomains) {
    const evidence = await lookUpAt(lookup, baseDomain, port, options)
    if (evidence.status !== 'none') return evidence // D34: the first secure RRset wins, usable or not
    if (evidence.why === 'insecure') why = 'insecure'
  }
  return { status: 'none', why }
}

/** Which TLSA base domains to try, in order (D28, D29, D36). */
async function findCandidates(
  lookup: Lookup,
  host: string,
  { a, aaaa }: AddressAnswers,
  options: { readonly fresh?: boolean },
): Promise<Candidates> {
  // a name server that fails for one family decides nothing while the other one answers
  const found = [a, aaaa].filter((answer) => answer.status === 'found')
  const answer = found.find(({ security }) => security === 'secure') ?? found[0]
  if (answer === undefined) return withoutAddresses(host, [a, aaaa])

  if (answer.security === 'secure') return candidates(answer.canonicalName, host)
  if (answer.aliases.length === 0) return { status: 'none', why: 'address-insecure' }

  // D12: the chain is insecure as a whole; the alias itself may lie in a signed zone and have records of its own
  const alias = await lookup(host, 'CNAME', options)
  if (alias.status === 'failed') return failed(alias, host)
  return alias.security === 'secure' ? candidates(host) : { status: 'none', why: 'address-insecure' }
}

function candidates(...names: readonly string[]): Candidates {
  return { status: 'candidates', baseDomains: [...new Set(names.map(canonicalHost))] }
}

function withoutAddresses(host: string, answers: readonly Answer<'A' | 'AAAA'>[]): None | Failed {
  const failure = answers.find((answer) => answer.status === 'failed')
  return failure === undefined ? { status: 'none', why: 'not-looked-up' } : failed(failure, host)
}

async function lookUpAt(
  lookup: Lookup,
  baseDomain: string,
  port: number,
  options: { readonly fresh?: boolean },
): Promise<TlsaEvidence> {
  const queryName = `_${port}._tcp.${baseDomain}`
  if (queryName.length > 253) return { status: 'none', why: 'absent' } // no such name can exist

  const answer = await lookup(queryName, 'TLSA', options)
  if (answer.status === 'failed') return failed(answer, baseDomain) // D8
  if (answer.status === 'absent') return { status: 'none', why: 'absent' } // D5: also where the denial is insecure
  if (answer.security === 'insecure') return { status: 'none', why: 'insecure' } // D15; D33: any link of a chain
  // D33: where the TLSA name is an alias, the base domain stays what it was
  return { status: 'found', baseDomain, queryName, records: answer.records, ...sortRecords(answer.records) }
}

function failed({ name, failure }: { name: string; failure: DnsFailure }, baseDomain: string): Failed {
  return { status: 'failed', name, baseDomain, failure }
}
