/**
 * /etc/resolv.conf.
 *
 * @module
 */

import { readFileSync } from 'node:fs'

/** Its text; empty where there is none, or none that may be read. */
export function readResolvConfText(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    return ''
  }
}
