/**
 * Patterns of recipient addresses: `tls@example.org`, `tls-reports@*`, `*@reports.example.org`.
 *
 * @module
 */

import { splitAddress } from '../address'
import type { ValueKind } from './keys'
import { normalAddress } from './kinds'
import { readDomainName } from './names'

/** Compiled patterns. Addresses are compared as administrators write them, not telling Jane@ from jane@. */
export interface AddressPatterns {
  readonly exact: ReadonlySet<string>
  /** without their `*` */
  readonly prefixes: readonly string[]
  readonly suffixes: readonly string[]
}

/** An address, or the beginning or the end of one with `*` for the rest, in normal form. */
export const ADDRESS_PATTERN: ValueKind<string> = {
  accepted: 'an address, or its beginning or end: tls@example.org, tls-reports@*, *@reports.example.org',
  read: (text) => {
    if (/[\s<>,;"\p{Cc}]/u.test(text)) return undefined
    if (text.startsWith('*')) return readSuffix(text.slice(1))
    if (text.endsWith('*')) return readPrefix(text.slice(0, -1))
    const { domain = '' } = splitAddress(text) ?? {}
    return text.includes('*') || readDomainName(domain) === undefined ? undefined : normalAddress(text)
  },
}

/** `*` alone would be for all mail. */
function readPrefix(text: string): string | undefined {
  const [local = '', ...more] = text.split('@')
  const isPrefix = local !== '' && more.length < 2 && !text.includes('*')
  return isPrefix ? `${text.toLowerCase()}*` : undefined
}

function readSuffix(text: string): string | undefined {
  if (text.includes('*') || text.endsWith('@')) return undefined
  const domain = text.slice(text.lastIndexOf('@') + 1).replace(/^\./, '')
  return readDomainName(domain) === undefined ? undefined : `*${normalAddress(text)}`
}

/** Compiles what {@link ADDRESS_PATTERN} accepted. */
export function compileAddresses(patterns: readonly string[]): AddressPatterns {
  return {
    exact: new Set(patterns.filter((pattern) => !pattern.includes('*'))),
    prefixes: patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1)),
    suffixes: patterns.filter((pattern) => pattern.startsWith('*')).map((pattern) => pattern.slice(1)),
  }
}

/** Whether one of the patterns matches an address, in whatever spelling it comes. */
export function matchesAddress({ exact, prefixes, suffixes }: AddressPatterns, address: string): boolean {
  const normal = normalAddress(address)
  return (
    exact.has(normal) ||
    prefixes.some((prefix) => normal.startsWith(prefix)) ||
    suffixes.some((suffix) => normal.endsWith(suffix))
  )
}
