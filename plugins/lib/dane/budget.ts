/**
 * What one judgement of a server's certificates may cost. They are whatever the server presents, and
 * nothing else runs while they are judged: the limits together are worth less than 50 ms, and far above what honest
 * chains need.
 *
 * @module
 */

import { countElements } from './der'

/** What is left, over all certificates, paths and records. Below zero: it was not enough. */
export interface Budget {
  /** elements of DER to decode: the time depends on their number, hardly on their length */
  elements: number
  /** steps from a certificate to one that signed it */
  links: number
  /** signatures to verify, in units of one on P-256, a tenth of a millisecond */
  signatures: number
  /** names to compare with name constraints */
  names: number
}

const limits: Readonly<Budget> = {
  elements: 6000, // six certificates with 2,000 names and 100 subtrees have 2,800
  links: 250, // six authorities, all of them cross-signed once, have 126
  signatures: 120, // six on P-521, the costliest
  names: 300_000, // 2,000 names and 100 subtrees are 200,000
}

const work: Readonly<Record<keyof Budget, string>> = {
  elements: 'too much to decode',
  links: 'too many paths',
  signatures: 'too many signatures to verify',
  names: 'too many names to compare with constraints',
}

export function newBudget(): Budget {
  return { ...limits }
}

/** Whether OpenSSL may take apart all that a certificate holds: its names cost it as much as they would cost us. */
export function isTooLarge(certificate: Uint8Array): boolean {
  return countElements(certificate) > limits.elements
}

/** @returns false where it is not enough, from then on */
export function spend(budget: Budget, what: keyof Budget, amount: number): boolean {
  budget[what] -= amount
  return budget[what] >= 0
}

/** What there was too much of, for people; undefined: nothing. */
export function findExcess(budget: Readonly<Budget>): string | undefined {
  for (const what of ['elements', 'links', 'signatures', 'names'] as const) if (budget[what] < 0) return work[what]
  return undefined
}
