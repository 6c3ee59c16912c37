/**
 * Domain and host names in the configuration, and the patterns that match them: `example.org`, `*.example.org`.
 *
 * @module
 */

import { isIP, SocketAddress } from 'node:net'
import { domainToASCII } from 'node:url'

const LONGEST_NAME = 253

/** Compiled patterns of one condition. */
export interface NamePatterns {
  /** names that match as they are; the empty one is the domain of the null sender */
  readonly exact: ReadonlySet<string>
  /** `example.org` of `*.example.org`: names below it match, at any depth, it itself does not */
  readonly below: ReadonlySet<string>
}

/**
 * One spelling for a name, so that names can be compared as strings: lower case, A-labels, no final dot; IP addresses
 * in their canonical form. What is no name comes back in lower case, and then equals no pattern.
 */
export function normalName(name: string): string {
  const plain = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
  if (/^[a-z0-9._-]*$/.test(plain)) return plain
  if (isIP(plain) === 6 && !plain.includes('%')) return new SocketAddress({ address: plain, family: 'ipv6' }).address
  // domainToASCII is lenient with ASCII: it decodes %41 and takes ports off. Only IDNs may go there
  if (plain.length > LONGEST_NAME || /[^\u0080-\u{10FFFF}a-z0-9._-]/u.test(plain)) return plain
  return domainToASCII(plain) || plain
}

/** Reads a domain name as administrators write it, IDN or not. @returns its normal form */
export function readDomainName(text: string): string | undefined {
  const name = normalName(text)
  if (name.length > LONGEST_NAME) return undefined
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) ? name : undefined
}

/** Reads `example.org` or `*.example.org`; `*` is accepted as the whole left-most label only. */
export function readNamePattern(text: string): string | undefined {
  if (!text.startsWith('*.')) return readDomainName(text)
  const parent = readDomainName(text.slice(2))
  return parent === undefined ? undefined : `*.${parent}`
}

/** Compiles what {@link readNamePattern} accepted. */
export function compilePatterns(patterns: readonly string[]): NamePatterns {
  return {
    exact: new Set(patterns.filter((pattern) => !pattern.startsWith('*.'))),
    below: new Set(patterns.filter((pattern) => pattern.startsWith('*.')).map((pattern) => pattern.slice(2))),
  }
}

/** Whether one of the patterns matches a name in its normal form. Costs one look-up for each label, whatever their number. */
export function matchesName(patterns: NamePatterns, name: string): boolean {
  if (patterns.exact.has(name)) return true
  if (patterns.below.size === 0) return false
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    if (patterns.below.has(name.slice(dot + 1))) return true
  }
  return false
}
