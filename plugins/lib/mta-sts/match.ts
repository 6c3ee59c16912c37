/**
 * Whether an MX host is one that a policy lists (RFC 8461 §4.1).
 *
 * @module
 */

import { isIP } from 'node:net'
import type { StsPolicy } from './policy'

/**
 * Whether the name in an MX record matches a pattern of the policy (T23). `*` stands for exactly one whole label at the left.
 * An address matches nothing: no certificate could prove it.
 *
 * @param mxName - as the MX record has it, before any CNAME
 */
export function matchesPolicy(policy: Pick<StsPolicy, 'mx'>, mxName: string): boolean {
  const name = mxName.toLowerCase().replace(/\.$/, '')
  if (name.includes('*') || name.startsWith('.') || isIP(name) !== 0) return false

  const behindFirstLabel = name.includes('.') ? name.slice(name.indexOf('.')) : undefined
  return policy.mx.some(
    (pattern) => pattern === name || (pattern.startsWith('*.') && pattern.slice(1) === behindFirstLabel),
  )
}
