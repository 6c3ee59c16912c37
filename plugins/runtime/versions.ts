/**
 * What we run on. Older ones fail in ways that do not point to this plugin.
 *
 * @module
 */

import { crashesOnCurves } from '../lib/certificates'

const NODE = [22, 19]
const HARAKA = [3, 0, 4]

/** Throws where Node is too old: node:sqlite and some of its TLS came with 22.19. */
export function checkNode(version: string): void {
  if (isBelow(version, NODE))
    throw new Error(`haraka-plugin-outbound-tls needs Node.js ${NODE.join('.')} or later, this is ${version}`)
}

/**
 * What to say where Node can be ended by a certificate. Our own connections never have it describe one (lib/certificates), so that
 * the plugin loads all the same; Haraka's connections from clients and to other servers do.
 */
export function nodeWarning(version: string): string | undefined {
  if (!crashesOnCurves(version)) return undefined
  return (
    `Node.js ${version} crashes where it reads a certificate with an EC key on a curve like brainpoolP256r1: ` +
    'a client or server with one can end Haraka. Please use Node.js 22, 24.22 or later, or 26.12 or later'
  )
}

/** Throws where Haraka is too old: before 3.0.4 its outbound worked in another way. */
export function checkHaraka(version: string): void {
  if (isBelow(version, HARAKA))
    throw new Error(`haraka-plugin-outbound-tls needs Haraka ${HARAKA.join('.')} or later, this is ${version}`)
}

function isBelow(version: string, least: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number)
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0
    if (part !== wanted) return part < wanted
  }
  return false
}
