/**
 * A certificate for people. It comes from anyone.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'
import { formatTlsa, recordFor } from '../../lib/dane'

export interface ShownCertificate {
  /** undefined, as all that follows: Node cannot read it */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** its DNS names and addresses, as OpenSSL writes them */
  readonly names: string | undefined
  readonly validFrom: Date | undefined
  readonly validTo: Date | undefined
  /** the TLSA record that one would publish for it: "3 1 1 9F86…" */
  readonly tlsa: string
}

/** No honest certificate has more to say, in characters. */
const LONGEST = 1000

export function describeCertificate(der: Uint8Array): ShownCertificate {
  const tlsa = formatTlsa(recordFor(der))
  try {
    const { subject, issuer, subjectAltName, validFrom, validTo } = new X509Certificate(der)
    return {
      subject: oneLine(subject),
      issuer: oneLine(issuer),
      names: subjectAltName?.slice(0, LONGEST),
      validFrom: dateOf(validFrom),
      validTo: dateOf(validTo),
      tlsa,
    }
  } catch {
    return { subject: undefined, issuer: undefined, names: undefined, validFrom: undefined, validTo: undefined, tlsa }
  }
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ').slice(0, LONGEST)
}

function dateOf(text: string): Date | undefined {
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}
