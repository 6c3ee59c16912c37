/**
 * One usual chain, and what comes of verifying it.
 *
 * @module
 */

import { verifyDane, type DaneResult } from '../../../dist/lib/dane/index.js'
import { createAuthority, issue, type Certificate, type tlsaOf } from '../../support/certificates.ts'

export const host = 'mx.example.test'
export const root = createAuthority('Root')
export const intermediate = createAuthority('Intermediate', { issuer: root })
export const leaf = issue(intermediate, { dnsNames: [host], keyUsage: [0] })
export const stranger = createAuthority('Stranger')

/** Dates of what is long expired. */
export const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-01-01T00:00:00Z') }

/** Every selector with every matching type. */
export const parameters = [0, 1].flatMap((selector) =>
  [0, 1, 2].map((matchingType) => [selector, matchingType] as const),
)

/** Verifies certificates by records, for `host` and now unless told otherwise. */
export function verify(
  presented: readonly Certificate[],
  records: readonly ReturnType<typeof tlsaOf>[],
  names: readonly string[] = [host],
  now = new Date(),
): DaneResult {
  return verifyDane(
    presented.map(({ der }) => der),
    records,
    names,
    now,
  )
}

/** How deep the record matched, or why none did. */
export const outcome = (result: DaneResult): string | number =>
  result.status === 'matched' ? result.depth : result.why

/** What a refusal says; '' where there is none. */
export const said = (result: DaneResult): string => (result.status === 'refused' ? result.text : '')
