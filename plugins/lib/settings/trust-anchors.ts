/**
 * The certificates of a `ca-file`.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'

/** The PEM text of a `ca-file`. Throws where it has no certificate, or a broken one: OpenSSL passes over it without a word. */
export function trustAnchorsIn(text: string, file: string): string {
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (begun === 0) throw new Error(`no certificate in ${file}`)
  if (begun > certificates.length) throw new Error(`a certificate in ${file} has no end`)
  certificates.forEach((certificate, index) => {
    try {
      new X509Certificate(certificate)
    } catch {
      throw new Error(`certificate ${index + 1} in ${file} is damaged`)
    }
  })
  return text
}
