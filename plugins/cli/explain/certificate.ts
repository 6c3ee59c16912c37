/**
 * A certificate for people. It comes from anyone.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'
import { formatTlsa, recordFor } from '../../lib/dane'
import { isoTime } from '../../lib/time'

export interface ShownCertificate {
  /** undefined, as all that follows: Node cannot read it */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** its DNS names and addresses, as OpenSSL writes them */
  readonly names: string | undefined
  /** as {@link isoTime} writes it; undefined, too, where the certificate has something else there */
  readonly validFrom: string | undefined
  readonly validTo: string | undefined
  /** the TLSA record that one would publish for it: "3 1 1 9F86…" */
  readonly tlsa: string
}

/** No honest certificate has more to say, in characters. */
const LONGEST = 1000

export function describeCertificate(der: Uint8Array): ShownCertificate {
  const tlsa = formatTlsa(recordFor(der))
  try {
    const { subject, issuer, subjectAltName, validFromDate, validToDate } = new X509Certificate(der)
    return {
      subject: oneLine(subject),
      issuer: oneLine(issuer),
      names: subjectAltName?.slice(0, LONGEST),
      validFrom: timeOf(validFromDate),
      validTo: timeOf(validToDate),
      tlsa,
    }
  } catch {
    return { subject: undefined, issuer: undefined, names: undefined, validFrom: undefined, validTo: undefined, tlsa }
  }
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ').slice(0, LONGEST)
}

function timeOf(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : isoTime(date)
}
