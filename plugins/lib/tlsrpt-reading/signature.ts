/**
 * Who has signed a message (RFC 8460 §3, V1). A report counts only when the domain that reports has signed it.
 *
 * @module
 */

import { DkimVerifier } from 'mailauth/lib/dkim/dkim-verifier'
import { getAlignment } from 'mailauth/lib/tools'
import { quote, toAsciiDomain, type Lookup } from '../dns'
import { keyResolver } from './key-record'
import { createHeaderFilter } from './signature-header'

/** What the DKIM signatures of a message come to. */
export interface Signatures {
  /** those that hold: their domains (`d=`) in lower-case A-labels */
  readonly verified: readonly string[]
  /** why the others do not, for people */
  readonly failures: readonly string[]
  /** a key could not be looked up: another time it might */
  readonly isTemporary: boolean
  /** of the one author in From; undefined where there are several, or none */
  readonly fromDomain: string | undefined
}

export interface SignatureCheck {
  /** The message as it came, bytes after bytes. Resolves when more can be taken. */
  write(bytes: Uint8Array): Promise<void>
  end(): Promise<Signatures>
}

/** Each takes a hash of the whole message, and a lookup. */
const MOST_SIGNATURES = 5
/** RFC 8301 §3.2. */
const SHORTEST_KEY = 1024

/**
 * Verifies the DKIM signatures of a message.
 *
 * @param now - milliseconds since 1970: signatures expire
 */
export function createSignatureCheck(lookup: Lookup, now: number): SignatureCheck {
  const resolver = keyResolver(lookup, MOST_SIGNATURES)
  const options = { resolver, curTime: new Date(now), minBitLength: SHORTEST_KEY, rejectRsaSha1: true }
  const verifier = new DkimVerifier(options)
  const header = createHeaderFilter(MOST_SIGNATURES)
  let failed: Error | undefined
  verifier.on('error', (error) => (failed = error))
  const put = (bytes: Uint8Array): Promise<void> => new Promise((resolve) => verifier.write(bytes, () => resolve()))
  return {
    write: async (bytes) => {
      const allowed = header.filter(bytes)
      if (allowed.length > 0) await put(allowed)
    },
    end: async () => {
      await put(header.rest())
      await new Promise<void>((resolve) => verifier.on('close', resolve).end())
      return failed === undefined ? judge(verifier) : nobody(`cannot be checked: ${quote(failed.message)}`)
    },
  }
}

/**
 * Which of the domains that signed a message speaks for a report: that of its contact or of the author of the message, or one of the
 * same organization.
 *
 * @param contactDomain - of the report's contact-info
 * @returns the domain as it signed; undefined: the report is nobody's
 */
export function reportingDomain(signatures: Signatures, contactDomain: string | undefined): string | undefined {
  const aligned = (domain: string | undefined): string | undefined =>
    domain === undefined
      ? undefined
      : signatures.verified.find((signer) => signer === domain || getAlignment(domain, [signer]) !== false)
  return aligned(contactDomain) ?? aligned(signatures.fromDomain)
}

function judge({ results, headerFrom }: DkimVerifier): Signatures {
  const verified: string[] = []
  const failures: string[] = []
  for (const { signingDomain = '', status, canonBodyLengthLimited } of results) {
    const domain = toAsciiDomain(signingDomain)
    if (status.result === 'none') continue
    if (status.result !== 'pass') failures.push(`${quote(signingDomain)}: ${quote(status.comment ?? status.result)}`)
    else if (canonBodyLengthLimited === true) failures.push(`${quote(signingDomain)}: l= (RFC 8460 3)`)
    else if (domain === undefined) failures.push(`${quote(signingDomain)}: no domain`)
    else verified.push(domain)
  }
  const isTemporary = results.some(({ status }) => status.result === 'temperror')
  return { verified: [...new Set(verified)], failures, isTemporary, fromDomain: fromDomain(headerFrom) }
}

function fromDomain(authors: readonly string[]): string | undefined {
  const [author = '', ...others] = authors
  return others.length > 0 ? undefined : toAsciiDomain(author.slice(author.lastIndexOf('@') + 1))
}

function nobody(why: string): Signatures {
  return { verified: [], failures: [why], isTemporary: false, fromDomain: undefined }
}
