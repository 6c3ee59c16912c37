/**
 * Hostile servers: chains of at most 100 kB, which is what OpenSSL takes, made to cost whoever verifies them.
 *
 * An attack is a recipe in plain data first, so that a costly one can be printed, and made again.
 *
 * @module
 */

import fc from 'fast-check'
import {
  extension,
  makeCertificate,
  makeKey,
  tlsaOf,
  type Certificate,
  type CertificateKey,
  type CertificateOptions,
} from '../../support/certificates.ts'
import * as der from '../../support/der.ts'

const curves = ['prime256v1', 'secp384r1', 'secp521r1', 'brainpoolP512r1', 'sect571r1'] as const
/** Nobody holds these keys: their signatures are wrong, but of the right length. */
const rsaKeys = {
  'RSA of 3072 bits with an exponent as long': { bits: 3072, exponent: (1n << 3071n) + 1n },
  'RSA of 8192 bits with an exponent of 64': { bits: 8192, exponent: (1n << 64n) - 1n },
  'RSA of 4096 bits': { bits: 4096, exponent: 65537n },
} as const
const oddities = {
  none: [],
  'a huge keyUsage': [extension('2.5.29.15', false, der.bits(Buffer.alloc(90_000, 0xff)))],
  'a huge nsCertType': [extension('2.16.840.1.113730.1.1', false, der.bits(Buffer.alloc(90_000, 0xff)))],
  'names of nothing': [extension('2.5.29.17', false, der.sequence(Buffer.alloc(90_000, Buffer.from([0x82, 0]))))],
  'directory names': [
    extension('2.5.29.17', false, der.sequence(Buffer.alloc(90_000, Buffer.from('a4023000', 'hex')))),
  ],
  'many extensions': indexes(6500).map((index) => extension(`1.2.${index + 1}`, false, Buffer.alloc(0))),
  'a long text': [extension('2.5.29.17', false, der.sequence(der.tagged(4, nameWith(`CN=${' A'.repeat(45_000)}`))))],
} as const

export interface Recipe {
  /**
   * clones: with one name and no key identifiers, each may have signed each; tower: each has signed the one below;
   * crowd: a few persons, each of whom has signed each
   */
  readonly shape: 'clones' | 'tower' | 'crowd'
  readonly issuers: number
  readonly key: (typeof curves)[number] | keyof typeof rsaKeys
  /** of each distinguished name */
  readonly parts: number
  /** of the server's certificate, all of them ending with `name` */
  readonly names: number
  readonly name: string
  readonly wildcards: boolean
  /** of each issuer, all of them ending with `subtree` */
  readonly subtrees: number
  readonly subtree: string
  readonly excluded: boolean
  readonly oddity: keyof typeof oddities
  /** what of the issuers is in DNS */
  readonly anchors: 'digests' | 'keys' | 'certificates' | 'digest of a stranger'
  /** keys of strangers in DNS */
  readonly strangers: number
}

const harmless: Recipe = {
  shape: 'clones',
  issuers: 1,
  key: 'prime256v1',
  parts: 1,
  names: 1,
  name: '.test',
  wildcards: false,
  subtrees: 0,
  subtree: 'test',
  excluded: false,
  oddity: 'none',
  anchors: 'digests',
  strangers: 0,
}

/** What hurts where nothing bounds it, up to 25 seconds. */
export const knownAttacks: Readonly<Record<string, Recipe>> = {
  'names under subtrees': { ...harmless, names: 9000, name: '', subtrees: 5500, subtree: '' },
  'fewer names under subtrees': { ...harmless, names: 3000, name: '', subtrees: 1400, subtree: '' },
  'names under the subtrees of many trust anchors': { ...harmless, issuers: 12, names: 1000, subtrees: 80 },
  'wildcards beside subtrees': { ...harmless, names: 2000, wildcards: true, subtrees: 1900, excluded: true },
  'RSA exponents': { ...harmless, issuers: 31, key: 'RSA of 3072 bits with an exponent as long' },
  'large RSA keys': { ...harmless, issuers: 31, key: 'RSA of 8192 bits with an exponent of 64' },
  'a huge keyUsage': { ...harmless, oddity: 'a huge keyUsage' },
  'a huge nsCertType': { ...harmless, oddity: 'a huge nsCertType' },
  'signatures on sect571r1': { ...harmless, issuers: 31, key: 'sect571r1' },
  'signatures on P-521': { ...harmless, issuers: 31, key: 'secp521r1' },
  'records that match nothing': { ...harmless, issuers: 31, key: 'secp521r1', anchors: 'digest of a stranger' },
  'a tower on brainpoolP512r1': { ...harmless, shape: 'tower', issuers: 31, key: 'brainpoolP512r1' },
  'distinguished names of 100 parts': { ...harmless, issuers: 20, parts: 100 },
  'distinguished names of 15 parts': { ...harmless, shape: 'crowd', issuers: 25, parts: 15, subtrees: 3 },
  'names of nothing': { ...harmless, oddity: 'names of nothing' },
  'directory names': { ...harmless, oddity: 'directory names' },
  'many extensions': { ...harmless, oddity: 'many extensions' },
  'a long text': { ...harmless, oddity: 'a long text' },
  'many names, and many paths': { ...harmless, shape: 'crowd', issuers: 25, names: 2000, subtrees: 5 },
  'many keys in DNS': { ...harmless, issuers: 31, anchors: 'keys', strangers: 1000 },
  'many certificates in DNS': { ...harmless, issuers: 31, names: 500, anchors: 'certificates' },
}

const upTo = (...limits: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof(...limits.map((max) => fc.integer({ min: 0, max })))
const keyNames = [...curves, ...(Object.keys(rsaKeys) as (keyof typeof rsaKeys)[])]
const suffixes = fc.constantFrom('', '.test', '.a'.repeat(60))

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  shape: fc.constantFrom('clones', 'tower', 'crowd'),
  issuers: fc.integer({ min: 1, max: 31 }),
  key: fc.constantFrom(...keyNames),
  parts: upTo(3, 15, 100),
  names: upTo(3, 3000, 9000),
  name: suffixes,
  wildcards: fc.boolean(),
  subtrees: upTo(0, 20, 1500, 5500),
  subtree: suffixes,
  excluded: fc.boolean(),
  oddity: fc.oneof(fc.constant('none' as const), fc.constantFrom(...(Object.keys(oddities) as Recipe['oddity'][]))),
  anchors: fc.constantFrom('digests', 'keys', 'certificates', 'digest of a stranger'),
  strangers: upTo(0, 1000),
})

export interface Attack {
  /** DER, the server's own first */
  readonly chain: readonly Buffer[]
  /** of the server */
  readonly keyPem: string
  readonly records: readonly ReturnType<typeof tlsaOf>[]
}

const maxChain = 100_000

export function cook(recipe: Recipe): Attack {
  const leaf = makeLeaf(recipe)
  const issuers = indexes(recipe.issuers).map((index) => makeIssuer(recipe, index))
  const chain = [leaf]
  let octets = leaf.der.length
  for (const issuer of issuers) {
    octets += issuer.der.length
    if (octets <= maxChain) chain.push(issuer)
  }
  const strangers = indexes(recipe.strangers).map((index) => tlsaOf(strangerWith(index), 2, 1, 0))
  const records = [...strangers, ...anchorsOf(recipe, chain.slice(1))]
  return { chain: chain.map(({ der }) => der), keyPem: leaf.keyPem, records }
}

function anchorsOf({ anchors }: Recipe, issuers: readonly Certificate[]): Attack['records'] {
  if (anchors === 'digest of a stranger') return [tlsaOf(stranger, 2, 0, 1)]
  const [selector, matchingType] = { digests: [0, 1], keys: [1, 0], certificates: [0, 0] }[anchors] as [number, number]
  return issuers.map((one) => tlsaOf(one, 2, selector, matchingType))
}

// Certificates

const stranger = makeCertificate()
const keys = new Map<string, CertificateKey>()

function keyOf(kind: Recipe['key'] | 'ed25519', index: number): CertificateKey {
  const id = `${kind} ${index}`
  const key = keys.get(id) ?? makeKeyOf(kind, index)
  keys.set(id, key)
  return key
}

const signer = makeKey('rsa')

function makeKeyOf(kind: Recipe['key'] | 'ed25519', index: number): CertificateKey {
  if (kind === 'ed25519') return makeKey('ed25519')
  if (!(kind in rsaKeys)) return makeKey('ec', kind)
  const { bits, exponent } = rsaKeys[kind as keyof typeof rsaKeys]
  const key = der.sequence(der.integer((1n << BigInt(bits)) - BigInt(2 * index + 1)), der.integer(exponent))
  const spki = der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nothing()), der.bits(key))
  return { ...signer, spki }
}

function strangerWith(index: number): Certificate {
  return { ...stranger, key: keyOf('ed25519', index) }
}

function makeIssuer(recipe: Recipe, index: number): Certificate {
  const { shape, issuers, subtrees, subtree, excluded } = recipe
  const persons = Math.ceil(Math.sqrt(issuers))
  const own = shape === 'crowd' ? index % persons : index
  const above = { clones: 0, tower: Math.min(index + 1, issuers - 1), crowd: Math.floor(index / persons) }[shape]
  const dns = textsOf(subtrees, subtree)
  return make(recipe, above, {
    subject: nameOf(recipe, own),
    key: keyOf(recipe.key, own),
    serial: BigInt(index + 1),
    ca: true,
    keyUsage: [5],
    ...(dns.length > 0 && { nameConstraints: excluded ? { excluded: { dns } } : { permitted: { dns } } }),
  })
}

function makeLeaf(recipe: Recipe): Certificate {
  const { names, name, wildcards, oddity, shape, issuers } = recipe
  const dnsNames = textsOf(names, name).map((text) => (wildcards ? `*.${text}` : text))
  const options = oddity === 'none' ? { dnsNames } : { extensions: oddities[oddity] }
  return make(recipe, shape === 'clones' ? issuers - 1 : 0, { subject: `${longName(recipe)}, CN=leaf`, ...options })
}

/** A certificate by the issuer with this number. */
function make(recipe: Recipe, issuer: number, options: CertificateOptions): Certificate {
  const certificate = makeCertificate({
    issuerName: nameOf(recipe, issuer),
    issuerKey: keyOf(recipe.key, issuer),
    subjectKeyId: false,
    authorityKeyId: false,
    ...options,
  })
  return recipe.key in rsaKeys ? resized(certificate, rsaKeys[recipe.key as keyof typeof rsaKeys].bits) : certificate
}

/** With a signature of another length than the 256 octets that it has. */
function resized(certificate: Certificate, bits: number): Certificate {
  const signature = der.bits(Buffer.alloc(256)).length
  const before = certificate.der.subarray(4, certificate.der.length - signature)
  return { ...certificate, der: der.sequence(before, der.bits(Buffer.alloc(bits / 8, 0x5a))) }
}

const longName = ({ parts }: Recipe): string => ['O=Example', ...indexes(parts).map((part) => `OU=${part}`)].join(', ')

function nameOf(recipe: Recipe, number: number): string {
  return `${longName(recipe)}, CN=${recipe.shape === 'clones' ? 'clone' : number}`
}

function nameWith(text: string): Buffer {
  return makeCertificate({ subject: text }).name
}

/** As many different ones as are asked for, and fit into half of a chain. */
function textsOf(number: number, suffix: string): string[] {
  const most = Math.floor(maxChain / 2 / (suffix.length + 8))
  return indexes(Math.min(number, most)).map((index) => index.toString(36) + suffix)
}

function indexes(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
