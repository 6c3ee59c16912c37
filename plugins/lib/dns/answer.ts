/**
 * What a DNS lookup can come to, in four results that no caller can mix up (RFC 7672 §2.1).
 *
 * @module
 */

/** The data of one record, by type. Names are lower-case A-labels without the final dot; TXT strings are joined (RFC 8461 §3.1). */
export interface RecordData {
  readonly A: string
  readonly AAAA: string
  readonly CNAME: string
  readonly MX: { readonly preference: number; readonly exchange: string }
  readonly TLSA: TlsaData
  readonly TXT: string
}

/** A TLSA record as it came, nothing judged yet (RFC 6698 §2.1). */
export interface TlsaData {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

export type RecordType = keyof RecordData

/** "indeterminate" does not exist here: it is an error (RFC 7672 §2.1.1, D2, D3). */
export type Security = 'secure' | 'insecure'

/** Why a lookup failed. For a decision they are all the same (D5); for reports and people they are not. */
export type FailureClass = 'bogus' | 'server-failure' | 'timeout' | 'refused' | 'malformed' | 'network'

/** A lookup that failed: neither records nor their absence are known (D5). */
export interface DnsFailure {
  readonly class: FailureClass
  /** for people: "SERVFAIL, DNSSEC bogus (EDE 6)", "no answer within 5 s from 127.0.0.1:53" */
  readonly text: string
}

/** One question, and all that its answer says about where it led. */
interface Answered {
  readonly name: string
  /** where the CNAME chain ended: `name` where there is none */
  readonly canonicalName: string
  /** the names that the chain went through, `name` first, `canonicalName` left out; empty without CNAME */
  readonly aliases: readonly string[]
  /** of the whole chain and what is at its end: one insecure link makes all of it insecure (D11) */
  readonly security: Security
  /** how long this may be used, in milliseconds from now */
  readonly ttl: number
}

export type Answer<Type extends RecordType = RecordType> =
  | (Answered & { readonly status: 'found'; readonly records: readonly RecordData[Type][] })
  | (Answered & { readonly status: 'absent'; readonly why: 'nxdomain' | 'nodata' })
  | { readonly status: 'failed'; readonly name: string; readonly failure: DnsFailure }

export interface LookupOptions {
  /** goes past our cache */
  readonly fresh?: boolean
  /** whose lookup it is, for a fair share: the recipient domain. Left out: the name itself */
  readonly group?: string
}

/** Asks for records. Never rejects: what goes wrong is an {@link Answer} that failed. */
export type Lookup = <Type extends RecordType>(
  name: string,
  type: Type,
  options?: LookupOptions,
) => Promise<Answer<Type>>
