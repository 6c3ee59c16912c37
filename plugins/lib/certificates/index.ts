/**
 * What a peer presented in a TLS handshake, read without a crash and without a leak on every Node.js that is supported.
 *
 * @module
 */

export { crashesOnCurves } from './curves'
export { chainErrorOf, describeNothing, endEntityOf, presentedChain } from './presented'
export { readCertificate } from './read'
