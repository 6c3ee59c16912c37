/**
 * Hostile servers: chains of at most 100 kB, as much as OpenSSL takes, made to cost whoever verifies them by TLSA records.
 *
 * @module
 */

import type { tlsaOf as makeRecord } from '../../support/certificates.ts'
import {
  createAuthority,
  extension,
  issue,
  makeCertificate,
  makeKey,
  tlsaOf,
  type Certificate,
  type CertificateKey,
  type CertificateOptions,
} from '../../support/certificates.ts'
import * as der from '../../support/der.ts'
import { host } from './chain.ts'

export interface Attack {
  readonly chain: readonly Certificate[]
  readonly records: readonly ReturnType<typeof makeRecord>[]
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const byKey = (certificates: readonly Certificate[]) => certificates.map((one) => tlsaOf(one, 2, 1, 1))
const signer = makeKey('rsa')

/** An RSA key that nobody holds. */
function rsaKey(bits: number, exponent: bigint, salt = 1): CertificateKey {
  const modulus = (1n << BigInt(bits)) - BigInt(2 * salt + 1)
  const key = der.sequence(der.integer(modulus), der.integer(exponent))
  return { ...signer, spki: der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nothing()), der.bits(key)) }
}

const names = (count: number, suffix = ''): string[] => numbers(count).map((index) => index.toString(36) + suffix)
const longName = (parts: number, last: string): string => [...names(parts).map((name) => `O=${name}`), `CN=${last}`].join(', ')

/** Authorities with one name and no key identifiers: each may have issued each. */
function clones(count: number, keyOf: (index: number) => CertificateKey, more: CertificateOptions = {}): Certificate[] {
  const noIds = { subjectKeyId: false, authorityKeyId: false } as const
  return numbers(count).map((index) => {
    const key = keyOf(index)
    return createAuthority('Clone', { key, issuerKey: signerFor(key), serial: BigInt(index + 1), ...noIds, ...more })
  })
}
/** Its own, unless it has none: then the signature is nobody's. */
const signerFor = (key: CertificateKey): CertificateKey => (key.privateKey === signer.privateKey ? signer : key)

const belowClones = (issuerKey: CertificateKey, options: CertificateOptions = {}): Certificate =>
  issue(createAuthority('Clone', { key: issuerKey }), { dnsNames: [host], authorityKeyId: false, ...options })

/** As many clones as are looked at, with keys of a kind, of which each signature is tried by all. */
function signaturesOf(keyOf: (index: number) => CertificateKey): Attack {
  const issuers = clones(31, keyOf)
  return { chain: [belowClones(signer), ...issuers], records: byKey(issuers.slice(-1)) }
}

/** A certificate that a key of so many bits may have signed, for all that its length tells. */
function withSignature(certificate: Certificate, bits: number): Certificate {
  const start = certificate.der.length - signatureOf(certificate).length
  const [tbsAndAlgorithm] = [certificate.der.subarray(4, start)]
  return { ...certificate, der: der.sequence(tbsAndAlgorithm, der.bits(Buffer.alloc(bits / 8, 0x5a))) }
}
/** The last element: a BIT STRING with 2048 bits. */
const signatureOf = ({ der: whole }: Certificate): Buffer => whole.subarray(whole.length - (4 + 1 + 256))

function rsaSignatures(bits: number, exponent: bigint): Attack {
  const { chain, records } = signaturesOf((index) => rsaKey(bits, exponent, index))
  const changed = chain.map((one) => withSignature(one, bits))
  return { chain: changed, records: [...records, ...byKey(changed)] }
}

/** The same, all with real keys: every signature is right, and each leads everywhere but to the anchor. */
function signedBy(type: 'ec' | 'rsa', size: number | string): Attack {
  const keys = numbers(31).map(() => makeKey(type, size))
  const [first = signer] = keys
  const issuers = clones(31, (index) => keys[index] ?? first, { issuerKey: keys[30] ?? first })
  return { chain: [belowClones(keys[30] ?? first), ...issuers.slice(1), signed], records: byKey([signed]) }
}

function constrained(count: number, nameConstraints: CertificateOptions['nameConstraints'], leaf: CertificateOptions): Attack {
  const options = nameConstraints === undefined ? {} : { nameConstraints }
  const issuers = clones(count, () => signer, options)
  return { chain: [belowClones(signer, leaf), ...issuers], records: byKey(issuers) }
}

const withExtension = (id: string, content: Uint8Array): Attack => {
  const [issuer = signed] = clones(1, () => signer)
  return { chain: [belowClones(signer, { extensions: [extension(id, false, content)], dnsNames: [] }), issuer], records: byKey([issuer]) }
}
const signed = createAuthority('Root')

/** Everyone has signed everyone, and many paths lead to many anchors. */
function web(people: number, options: CertificateOptions = {}): Attack {
  const crowd = numbers(people).map((index) => createAuthority(`Person ${index}`))
  const issuers = crowd.flatMap(({ key }, index) =>
    crowd.map((issuer) => createAuthority(`Person ${index}`, { key, issuer, ...options })),
  )
  return { chain: [issue(crowd[0] ?? signed, { dnsNames: ['other.test'] }), ...issuers.slice(0, 31)], records: byKey(crowd) }
}

const half = 45_000

/** What was seen to hurt, and what looks as if it might. */
export const attacks: Readonly<Record<string, () => Attack>> = {
  'names under permitted subtrees': () =>
    constrained(1, { permitted: { dns: [...names(5400), 'test'] } }, { dnsNames: names(7900, '.x') }),
  'names beside excluded subtrees': () => constrained(1, { excluded: { dns: names(5400) } }, { dnsNames: names(7900) }),
  'wildcards beside excluded subtrees': () =>
    constrained(1, { excluded: { dns: names(4000, '.x') } }, { dnsNames: names(5000).map((name) => `*.${name}`) }),
  'names under the subtrees of many trust anchors': () =>
    constrained(12, { permitted: { dns: names(100) } }, { dnsNames: names(1000) }),
  'as many subtrees in each of many trust anchors as fit': () =>
    constrained(31, { permitted: { dns: names(300) } }, { dnsNames: names(2000) }),
  'directory names under directory subtrees': () =>
    constrained(2, { permitted: { dn: names(40).map((name) => longName(50, name)) } }, { subject: longName(100, 'x') }),
  'RSA exponents of 3072 bits': () => rsaSignatures(3072, (1n << 3071n) + 1n),
  'RSA of 8192 bits with exponents of 64 bits': () => rsaSignatures(8192, (1n << 64n) - 1n),
  'RSA of 4096 bits': () => rsaSignatures(4096, 65537n),
  'RSA of 16384 bits': () => rsaSignatures(16384, 65537n),
  ...Object.fromEntries(
    ['sect571r1', 'brainpoolP512r1', 'brainpoolP384r1', 'secp521r1', 'secp384r1', 'secp256k1', 'prime256v1'].map((curve) => [
      `signatures on ${curve}`,
      () => signedBy('ec', curve),
    ]),
  ),
  'a huge keyUsage': () => withExtension('2.5.29.15', der.bits(Buffer.alloc(2 * half, 0xff))),
  'names of nothing': () => withExtension('2.5.29.17', der.sequence(Buffer.from('8200'.repeat(half), 'hex'))),
  'directory names of nothing': () => withExtension('2.5.29.17', der.sequence(Buffer.from('a4023000'.repeat(half / 2), 'hex'))),
  'many purposes': () => withExtension('2.5.29.37', der.sequence(Buffer.from('060103'.repeat(half / 1.5), 'hex'))),
  'many extensions': () => {
    const extensions = numbers(6500).map((index) => extension(`1.2.${index + 1}`, false, Buffer.alloc(0)))
    const [issuer = signed] = clones(1, () => signer)
    return { chain: [belowClones(signer, { extensions }), issuer], records: byKey([issuer]) }
  },
  'distinguished names of 100 parts': () => {
    const name = longName(90, 'x')
    const issuers = clones(25, () => signer, { subject: name, issuerName: name })
    return { chain: [issue(signed, { issuerName: name, issuerKey: signer, subject: name }), ...issuers], records: byKey(issuers) }
  },
  'one distinguished name of as many parts as fit': () => ({
    chain: [issue(signed, { subject: longName(5500, 'x'), dnsNames: [] }), signed],
    records: byKey([signed]),
  }),
  'a part of as many attributes as fit': () => {
    const attribute = der.sequence(der.oid('2.5.4.3'), der.utf8('a'))
    const name = Buffer.from(der.sequence(der.set(...numbers(8000).map(() => attribute))))
    const leaf = issue(signed, { extensions: [extension('2.5.29.17', false, der.sequence(der.tagged(4, name)))] })
    return { chain: [leaf, signed], records: byKey([signed]) }
  },
  'long texts': () => ({
    chain: [issue(signed, { subject: `CN=${' A'.repeat(half)}`, dnsNames: [] }), signed],
    records: byKey([signed]),
  }),
  'names of many labels': () =>
    constrained(1, { permitted: { dns: names(400, '.a'.repeat(50)) } }, { dnsNames: names(400, '.a'.repeat(50)) }),
  'a web of signatures': () => web(5),
  'a web of signatures, with names': () => web(5, { dnsNames: names(100), nameConstraints: { permitted: { dns: ['test'] } } }),
  'a web of clones with one key': () => {
    const key = makeKey('ec')
    const issuers = clones(31, () => key)
    return { chain: [belowClones(key, { dnsNames: names(9000) }), ...issuers], records: byKey(issuers) }
  },
  'a deep chain of long names': () => {
    const issuers = [createAuthority(longName(150, '0'))]
    for (const index of numbers(30)) issuers.unshift(createAuthority(longName(90, `${index + 1}`), { issuer: issuers[0] ?? signed }))
    return { chain: [issue(issuers[0] ?? signed, { dnsNames: [host] }), ...issuers.slice(0, 26)], records: byKey(issuers) }
  },
  'as many digests in DNS as fit': () => {
    const digests = numbers(1200).map((index) => ({ ...tlsaOf(signed, 2, index % 2, 1), data: Buffer.alloc(32, index) }))
    return { chain: [issue(signed, { dnsNames: names(9000) }), ...clones(30, () => signer)], records: [...digests, tlsaOf(signed, 2, 1, 0)] }
  },
  'as many keys in DNS as fit': () => {
    const keys = numbers(1000).map(() => makeCertificate({ key: makeKey('ed25519') }))
    const issuers = clones(31, () => signer)
    return { chain: [belowClones(signer), ...issuers], records: keys.map((one) => tlsaOf(one, 2, 1, 0)) }
  },
  'as many certificates in DNS as fit': () => {
    const inDns = clones(100, () => signer, { issuerName: 'Else' })
    return { chain: [belowClones(signer), ...clones(31, () => signer)], records: inDns.map((one) => tlsaOf(one, 2, 0, 0)) }
  },
}
