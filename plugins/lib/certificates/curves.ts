/**
 * Which Node.js crashes on a certificate.
 *
 * @module
 */

/** The first version of a line of releases that does not crash; lines before 23 never did, nor do those after 26. */
const mended: Readonly<Record<string, number>> = { 23: Infinity, 24: 22, 25: Infinity, 26: 12 }

/**
 * Whether this Node.js ends with a segmentation fault where it describes an EC key whose curve has no NIST name
 * (brainpoolP256r1, secp256k1): `getPeerCertificate()` on either side of a connection, and `toLegacyObject()`.
 * Seen in 23.9 to 23.11, 24.0 to 24.21, 25 and 26.0 to 26.10; not in 22.19 to 22.23, 24.22 and 26.12.
 */
export function crashesOnCurves(version: string): boolean {
  const [major = '', minor] = version.split('.')
  return Number(minor) < (mended[major] ?? 0)
}
