/**
 * Which keys and signatures a path may rest on: at least 80 bits of security, which is what OpenSSL calls level 1 and what
 * Postfix uses. Hence no MD5 and no SHA-1, and no RSA below 1024 bits. RSA above 8192 bits, exponents above 64 bits and
 * unusual curves only cost time.
 *
 * Keys are judged as they stand in the certificate, before OpenSSL decodes them or verifies anything by them.
 *
 * @module
 */

import { constructed, readInside, readOid, readOne, Tag, type Element } from './der'

/** Either what is wrong with a key, for people, or what it costs to verify a signature by it, as a budget counts. */
export type KeyStrength = { readonly flaw: string } | { readonly cost: number }

const rsaKeys = new Set(['2a864886f70d010101', '2a864886f70d01010a']) // rsaEncryption, RSASSA-PSS
const ecKey = '2a8648ce3d0201'

/** Costs as measured with the OpenSSL of Node. */
const edwardsKeys = new Map([
  ['2b6570', 2], // Ed25519
  ['2b6571', 4], // Ed448
])
const curves = new Map([
  ['2a8648ce3d030107', 1], // P-256
  ['2b81040022', 9], // P-384
  ['2b81040023', 20], // P-521
  ['2b8104000a', 5], // secp256k1
  ['2b2403030208010107', 5], // brainpoolP256r1
  ['2b240303020801010b', 9], // brainpoolP384r1
  ['2b240303020801010d', 13], // brainpoolP512r1
])

/** @param spki - SubjectPublicKeyInfo */
export function judgeKey(spki: Element | undefined): KeyStrength {
  const [algorithm] = readInside(spki, Tag.sequence) ?? []
  const [typeElement, parameters] = readInside(algorithm, Tag.sequence) ?? []
  const type = readOid(typeElement) ?? ''
  if (rsaKeys.has(type)) return judgeRsa(readRsa(spki))

  const cost = type === ecKey ? curves.get(readOid(parameters) ?? '') : edwardsKeys.get(type)
  if (cost !== undefined) return { cost }
  if (type !== ecKey) return { flaw: 'a key of an unknown kind' }
  // parameters that describe a curve can describe a weak one, with the right public key on it (CVE-2020-0601)
  return { flaw: parameters?.tag === Tag.oid ? 'a weak or unusual curve' : 'a curve without a name' }
}

/**
 * Whether a key is too weak to rely on, whichever issuer signed it (NIST SP 800-131A): RSA below 1024 bits. A DANE-EE record
 * makes no other demands on its key.
 */
export function findShortRsa(spki: Uint8Array): string | undefined {
  const { modulus } = readRsa(readOne(spki)) ?? {}
  return modulus !== undefined && modulus < 1024 ? `an RSA key of ${modulus} bits` : undefined
}

interface RsaSizes {
  readonly modulus: number
  readonly exponent: number
}

function judgeRsa(sizes: RsaSizes | undefined): KeyStrength {
  if (sizes === undefined) return { flaw: 'a malformed RSA key' }
  const { modulus, exponent } = sizes
  if (modulus < 1024 || modulus > 8192) return { flaw: `an RSA key of ${modulus} bits` }
  if (exponent > 64) return { flaw: `an RSA exponent of ${exponent} bits` }
  return { cost: Math.ceil((modulus / 4096) ** 2 * (exponent / 14)) }
}

/** @returns undefined where it is no RSA key */
function readRsa(spki: Element | undefined): RsaSizes | undefined {
  const [algorithm, key] = readInside(spki, Tag.sequence) ?? []
  const [type] = readInside(algorithm, Tag.sequence) ?? []
  if (!rsaKeys.has(readOid(type) ?? '') || key?.tag !== Tag.bitString || key.content[0] !== 0) return undefined
  const [modulus, exponent] = readInside(readOne(key.content.subarray(1)), Tag.sequence)?.map(countBits) ?? []
  return modulus === undefined || exponent === undefined ? undefined : { modulus, exponent }
}

/** Of an INTEGER that is not negative. */
function countBits({ tag, content }: Element): number | undefined {
  const first = content.findIndex((octet) => octet !== 0)
  if (tag !== Tag.integer || (content[0] ?? 0x80) >= 0x80) return undefined
  return first === -1 ? 0 : (content.length - first) * 8 - Math.clz32(content[first] ?? 0) + 24
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
