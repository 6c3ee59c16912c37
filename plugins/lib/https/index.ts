/**
 * HTTPS to hosts that remote parties name: policy hosts (RFC 8461 §3.3) and receivers of TLS reports (RFC 8460 §5.4).
 *
 * @module
 */

export { isPublicAddress } from './address'
export { createHttpsClient } from './client'
export type { HttpsClient, HttpsOptions } from './client'
export type { HttpsFailure } from './connect'
export type { HttpAnswer } from './exchange'
