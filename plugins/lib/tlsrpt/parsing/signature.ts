/**
 * Who has signed a message (RFC 8460 §3, V1). A report counts only when the domain that reports has signed it.
 *
 * @module
 */

import { finished } from 'node:stream/promises'
import { DkimVerifier, type VerifierResult } from 'mailauth/lib/dkim/dkim-verifier'
import { getAlignment, toALabel } from 'mailauth/lib/tools'
import { quote, toAsciiDomain, type Lookup } from '../../dns'
import { keyResolver } from './key-record'
import { boundedFields, createHeaderFilter } from './signature-header'

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
/** Of a domain that may be none, for people: characters. */
const LONGEST_SHOWN = 100
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
  const takeHeader = verifier.messageHeaders.bind(verifier)
  verifier.messageHeaders = async (header) =>
    takeHeader({ ...header, parsed: boundedFields(header.parsed, MOST_SIGNATURES) })
  const header = createHeaderFilter()
  let failed: Error | undefined
  verifier.on('error', (error) => (failed = error))
  const put = async (allowed: Uint8Array | undefined): Promise<void> => {
    if (allowed === undefined) failed ??= new Error('too long a header, or bare carriage returns in it')
    else if (allowed.length > 0) await new Promise<void>((resolve) => verifier.write(allowed, () => resolve()))
  }
  return {
    write: (bytes) => put(header.filter(bytes)),
    end: async () => {
      await put(header.rest())
      // by now it may have ended, by an error
      await finished(verifier.end()).catch((error: unknown) => (failed ??= error as Error))
      return failed === undefined ? judge(verifier) : unverified(`cannot be checked: ${quote(failed.message)}`)
    },
  }
}

/**
 * Which of the domains that signed a message speaks for a report: that of its contact or of the author of the message, or one of the
 * same organization.
 *
 * @param contactDomain - of the report's contact-info
 * @returns the domain as it signed; undefined: the report is not signed by a known domain
 */
export function reportingDomain(signatures: Signatures, contactDomain: string | undefined): string | undefined {
  const aligned = (domain: string | undefined): string | undefined =>
    domain === undefined
      ? undefined
      : signatures.verified.find((signer) => signer === domain || getAlignment(domain, [signer]) !== false)
  return aligned(contactDomain) ?? aligned(signatures.fromDomain)
}

function judge({ results, headerFrom }: DkimVerifier): Signatures {
  const signed = results.filter(({ status }) => status.result !== 'none')
  const failures = signed.flatMap((result) => {
    const why = whyNot(result)
    return why === undefined ? [] : `${quote((result.signingDomain ?? '').slice(0, LONGEST_SHOWN))}: ${why}`
  })
  const verified = signed.flatMap((result) => (whyNot(result) === undefined ? (signerOf(result) ?? []) : []))
  const isTemporary = results.some(({ status }) => status.result === 'temperror')
  return { verified: [...new Set(verified)], failures, isTemporary, fromDomain: fromDomain(headerFrom) }
}

/** Why a signature says nothing; undefined: it holds. */
function whyNot(result: VerifierResult): string | undefined {
  const { status, canonBodyLengthLimited } = result
  if (status.result !== 'pass') return quote(status.comment ?? status.result)
  if (canonBodyLengthLimited === true) return 'l= (RFC 8460 3)'
  // what is signed with it is to be treated as if it were not
  if (status.testing === true) return 't=y: its key is for tests (RFC 6376 3.6.1)'
  if (status.warnings?.includes('identity-domain') === true) return 'i= is not in its domain (RFC 6376 6.1.1)'
  return signerOf(result) === undefined ? 'no domain' : undefined
}

/** In the labels that its key was looked up with: those of UTS #46 may be of another domain. */
function signerOf({ signingDomain = '' }: VerifierResult): string | undefined {
  return toAsciiDomain(toALabel(signingDomain))
}

function fromDomain(authors: readonly string[]): string | undefined {
  const [author = '', ...others] = authors
  return others.length > 0 ? undefined : toAsciiDomain(author.slice(author.lastIndexOf('@') + 1))
}

function unverified(why: string): Signatures {
  return { verified: [], failures: [why], isTemporary: false, fromDomain: undefined }
}
