/**
 * The words that our reports have as failure-reason-code (RFC 8460 §4.3, §4.4): a fixed list of our own, for what a remote party says
 * is of no concern to others. docs/outcomes.md tells what they mean.
 *
 * @module
 */

import { FOLDED } from '../format'

export const FAILURE_REASONS = [
  'starttls-not-offered',
  'starttls-refused',
  'starttls-injection',
  'handshake-failed',
  'certificate-missing',
  'self-signed',
  'unknown-issuer',
  'chain-invalid',
  'dane-no-match',
  'tlsa-unusable',
  'dane-required',
  'sts-policy-mx-mismatch',
  FOLDED,
] as const

export type FailureReason = (typeof FAILURE_REASONS)[number]
