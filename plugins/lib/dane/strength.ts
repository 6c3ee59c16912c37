/**
 * Which keys and signatures a path may rest on: at least 80 bits of security, which is what OpenSSL calls level 1 and what
 * Postfix uses. Hence no MD5 and no SHA-1, and no RSA below 1024 bits. RSA above 8192 bits only costs time.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { constructed, readInside, readOid, readOne, Tag, type Element } from './der'

const curves = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'secp256k1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
])

export function isStrongKey(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'ed25519' || type === 'ed448') return true
  if (type === 'ec') return curves.has(details.namedCurve ?? '')
  if (type !== 'rsa' && type !== 'rsa-pss') return false
  return (details.modulusLength ?? 0) >= 1024 && isCheapKey(key)
}

/** Whether to check a signature with it at all. */
export function isCheapKey({ asymmetricKeyDetails }: KeyObject): boolean {
  return (asymmetricKeyDetails?.modulusLength ?? 0) <= 8192
}

const signatures = new Set([
  '2a864886f70d01010b', // RSA with SHA2-256
  '2a864886f70d01010c', // 384
  '2a864886f70d01010d', // 512
  '2a8648ce3d040302', // ECDSA with SHA2-256
  '2a8648ce3d040303', // 384
  '2a8648ce3d040304', // 512
  '2b6570', // Ed25519
  '2b6571', // Ed448
])

const rsaPss = '2a864886f70d01010a'
const hashes = new Set(['608648016503040201', '608648016503040202', '608648016503040203']) // SHA2-256, 384, 512

export function isStrongSignature(algorithm: Element): boolean {
  const [type, parameters] = readInside(algorithm, Tag.sequence) ?? []
  const name = readOid(type)
  if (name === rsaPss) return hashes.has(pssHash(parameters) ?? '')
  return name !== undefined && signatures.has(name)
}

/** @returns undefined where it is not said: then it is SHA-1 (RFC 4055 §3.1) */
function pssHash(parameters: Element | undefined): string | undefined {
  const hash = readInside(parameters, Tag.sequence)?.find(({ tag }) => tag === constructed(0))
  const [name] = readInside(hash && readOne(hash.content), Tag.sequence) ?? []
  return readOid(name)
}
