/**
 * What a peer presented in a TLS handshake, read without a crash and without a leak on every Node.js that is supported, and which
 * certificates were accepted although they are not valid.
 *
 * @module
 */

export { crashesOnCurves } from './curves'
export { chainErrorOf, describeNothing, endEntityOf, presentedChain } from './presented'
export { acquaintanceOf, seenCertificate } from './known'
export type { Acquaintance, KnownCertificate, SeenCertificate } from './known'
export { readCertificate } from './read'
export { sql as knownCertsSql } from './sql'
