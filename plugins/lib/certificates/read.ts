/**
 * Certificates as Node reads them.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'

/** Undefined, too, where Node would read another certificate: it prefers PEM, also where it is inside of DER. */
export function readCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    const x509 = new X509Certificate(der)
    return Buffer.compare(x509.raw, der) === 0 ? x509 : undefined
  } catch {
    return undefined
  }
}
