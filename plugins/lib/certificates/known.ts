/**
 * Certificates that are not valid, and were accepted before: by MX host and public key.
 *
 * It detects, it does not prevent: a retry accepts another key, too. What is known lets the next message go at once, and
 * what is not like it can be told.
 *
 * @module
 */

import { recordFor } from '../dane'
import { readCertificate } from './read'

/** A certificate as a host presented it. */
export interface SeenCertificate {
  /** the MX host, in A-labels */
  readonly host: string
  /** SHA-256 of its public key, in hex */
  readonly spki: string
  /** the names that it is for, as Node.js writes them */
  readonly names: string
  /** what is wrong with it, in a stable word or two */
  readonly flaw: string
}

export interface KnownCertificate extends Omit<SeenCertificate, 'host'> {
  /** milliseconds since 1970 */
  readonly firstSeen: number
}

/** How a certificate stands to those that are known of its host. */
export interface Acquaintance {
  /** `known`: its key is; `renewed`: another key, with the names and the flaw of a known one; `other`: like none of them */
  readonly is: 'known' | 'renewed' | 'other'
  /** the first time that it was accepted, or the first of those that are known */
  readonly since: Date
}

/** As many octets of names are kept and compared. */
const LONGEST_NAMES = 1000

/** @param flaw - what is wrong with the certificate, in stable words */
export function seenCertificate(host: string, der: Uint8Array, flaw: string): SeenCertificate {
  const leaf = readCertificate(der)
  const names = leaf?.subjectAltName ?? leaf?.subject ?? ''
  return { host, spki: Buffer.from(recordFor(der).data).toString('hex'), names: names.slice(0, LONGEST_NAMES), flaw }
}

/** Compares a certificate with those that are known of its host. Undefined: none is. */
export function acquaintanceOf(seen: SeenCertificate, known: readonly KnownCertificate[]): Acquaintance | undefined {
  if (known.length === 0) return undefined
  const same = known.find(({ spki }) => spki === seen.spki)
  if (same !== undefined) return { is: 'known', since: new Date(same.firstSeen) }
  const isAlike = known.some(({ names, flaw }) => names === seen.names && flaw === seen.flaw)
  const since = new Date(Math.min(...known.map(({ firstSeen }) => firstSeen)))
  return { is: isAlike ? 'renewed' : 'other', since }
}
