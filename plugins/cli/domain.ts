/**
 * A domain as it is given to the command.
 *
 * @module
 */

import { toAsciiDomain } from '../lib/dns'
import type { Answer, Call, Problem } from './command'
import { printable } from './text'

/** The domain that was given, as stores have it. */
export function readDomain(text: string): string | Problem {
  return toAsciiDomain(text) ?? { code: 2, problems: [`"${printable(text.slice(0, 300))}" is no domain name`] }
}

/** Does `work` with the domain that is the first operand. */
export async function withDomain(call: Call, work: (domain: string) => Answer | Promise<Answer>): Promise<Answer> {
  const domain = readDomain(call.operands[0] ?? '')
  return typeof domain === 'string' ? work(domain) : domain
}
