/**
 * A certificate authority for tests: issues any certificate, right or wrong, in less than a millisecond.
 *
 * ```ts
 * const ca = createAuthority('Example CA')
 * const leaf = issue(ca, { dnsNames: ['mx1.example.test'] })
 * tls.createServer({ key: leaf.keyPem, cert: chainPem(leaf, ca) })
 * ```
 *
 * @module
 */

import { constants, createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import * as der from './der.ts'

export type KeyType = 'ec' | 'rsa' | 'ed25519'

export interface CertificateKey {
  readonly type: KeyType
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo, DER: what selector 1 of a TLSA record means */
  readonly spki: Buffer
  /** the private key, PKCS #8 */
  readonly pem: string
}

export interface Certificate {
  readonly der: Buffer
  readonly pem: string
  readonly key: CertificateKey
  /** the private key, as `tls.createServer({ key })` takes it */
  readonly keyPem: string
  /** its subject, DER: the issuer's name of those that it issues */
  readonly name: Buffer
  readonly serial: bigint
  readonly keyId: Buffer
}

/** Subtrees of a name constraints extension. A `dn` is given as a subject is. */
export interface Subtrees {
  readonly dns?: readonly string[]
  readonly email?: readonly string[]
  readonly dn?: readonly string[]
  /** address and mask in hex */
  readonly ip?: readonly string[]
  readonly uri?: readonly string[]
}

export interface CertificateOptions {
  /** "CN=mx1.example.test, O=Example"; a text without "=" is an organization; '' is the empty name. Default: a random organization */
  readonly subject?: string
  /** one more CN behind the subject */
  readonly commonName?: string
  readonly key?: CertificateKey
  /** who signs it. Default: itself */
  readonly issuer?: Certificate
  /** signs instead of the issuer's key: a forgery, or a cross-signature */
  readonly issuerKey?: CertificateKey
  /** stands there instead of the issuer's subject */
  readonly issuerName?: string
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly emails?: readonly string[]
  /** default: an hour ago */
  readonly notBefore?: Date
  /** default: in 30 days */
  readonly notAfter?: Date
  /** true or false: basicConstraints is there and says so. Default: not there */
  readonly ca?: boolean | undefined
  readonly pathLength?: number
  /** numbers of the bits: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign. Default: not there */
  readonly keyUsage?: readonly number[] | undefined
  /** OIDs, or 'serverAuth', 'clientAuth', 'any'. Default: not there */
  readonly eku?: readonly string[] | undefined
  readonly nameConstraints?: { readonly permitted?: Subtrees; readonly excluded?: Subtrees }
  /** adds a critical extension that nobody knows */
  readonly criticalUnknown?: boolean
  readonly serial?: bigint
  /** false: no subjectKeyIdentifier; octets: these */
  readonly subjectKeyId?: false | Uint8Array
  /** false: no authorityKeyIdentifier; octets: these. Default: the issuer's key id */
  readonly authorityKeyId?: false | Uint8Array
  /** default: sha256 */
  readonly hash?: 'sha256' | 'sha384' | 'sha512' | 'sha1' | 'md5'
  /** with an RSA key: RSA-PSS */
  readonly pss?: boolean
  /** 1: no extensions at all. Default: 3 */
  readonly version?: 1 | 3
  /** more extensions, see {@link extension} */
  readonly extensions?: readonly Uint8Array[]
}

/** @param size - bits of an RSA key, or the name of a curve. Default: 2048, P-256 */
export function makeKey(type: KeyType = 'ec', size?: number | string): CertificateKey {
  const { privateKey, publicKey } = generate(type, size)
  return {
    type,
    privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function generate(type: KeyType, size?: number | string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: typeof size === 'number' ? size : 2048 })
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: typeof size === 'string' ? size : 'P-256' })
  return generateKeyPairSync('ed25519')
}

export function makeCertificate(options: CertificateOptions = {}): Certificate {
  const key = options.key ?? makeKey()
  const name = subjectName(options)
  const serial = options.serial ?? BigInt(`0x40${randomBytes(8).toString('hex')}`)
  const keyId = options.subjectKeyId ? Buffer.from(options.subjectKeyId) : keyIdOf(key)
  const signer = options.issuerKey ?? options.issuer?.key ?? key
  const { hash = 'sha256' } = options
  const algorithm = options.pss === true ? pssAlgorithm(hash) : algorithmOf(signer, hash)

  const tbs = der.sequence(
    ...(options.version === 1 ? [] : [der.tagged(0, der.integer(2))]),
    der.integer(serial),
    algorithm.identifier,
    options.issuerName === undefined ? (options.issuer?.name ?? name) : distinguishedName(options.issuerName),
    der.sequence(
      der.time(options.notBefore ?? new Date(Date.now() - 3600e3)),
      der.time(options.notAfter ?? new Date(Date.now() + 30 * 86400e3)),
    ),
    name,
    key.spki,
    ...(options.version === 1 ? [] : [der.tagged(3, der.sequence(...extensionsOf(options, keyId)))]),
  )
  const signature = sign(algorithm.hash, tbs, { key: signer.privateKey, ...algorithm.padding })
  const whole = der.sequence(tbs, algorithm.identifier, der.bits(signature))
  return { der: whole, pem: pemOf(whole), key, keyPem: key.pem, name, serial, keyId }
}

/** A CA certificate, self-signed unless `options.issuer` says otherwise. */
export function createAuthority(name: string, options: CertificateOptions = {}): Certificate {
  return makeCertificate({ subject: name, ca: true, keyUsage: [5, 6], ...options })
}

/** A server's certificate, signed by `authority`. */
export function issue(authority: Certificate, options: CertificateOptions = {}): Certificate {
  return makeCertificate({ issuer: authority, eku: ['serverAuth'], ...options })
}

/** A server's certificate, signed by itself. */
export function selfSigned(options: CertificateOptions = {}): Certificate {
  return makeCertificate(options)
}

/** What a server presents: `tls.createServer({ cert: chainPem(leaf, intermediate) })`. */
export function chainPem(...chain: readonly Certificate[]): string {
  return chain.map((certificate) => certificate.pem).join('')
}

/** A TLSA record of a certificate, as the resolver gives it (RFC 6698 §2.1). */
export function tlsaOf(
  certificate: Certificate,
  usage: number,
  selector: number,
  matchingType: number,
): { usage: number; selector: number; matchingType: number; data: Buffer } {
  const selected = selector === 0 ? certificate.der : certificate.key.spki
  return { usage, selector, matchingType, data: matched(selected, matchingType) }
}

function matched(selected: Buffer, matchingType: number): Buffer {
  if (matchingType === 1) return createHash('sha256').update(selected).digest()
  if (matchingType === 2) return createHash('sha512').update(selected).digest()
  return selected
}

export function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** @param content - the DER of its value */
export function extension(id: string, critical: boolean, content: Uint8Array): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(content))
}

// Names

const attributes: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  emailAddress: '1.2.840.113549.1.9.1',
}

function subjectName(options: CertificateOptions): Buffer {
  const subject = options.subject ?? (options.commonName === undefined ? `Test ${randomBytes(4).toString('hex')}` : '')
  return distinguishedName(subject, options.commonName)
}

/** "CN=a, O=b" → Name, DER. A text without "=" is an organization. */
export function distinguishedName(text: string, commonName?: string): Buffer {
  const parts = text === '' ? [] : text.split(', ').map((part) => (part.includes('=') ? part : `O=${part}`))
  if (commonName !== undefined) parts.push(`CN=${commonName}`)
  return der.sequence(...parts.map(relativeName))
}

function relativeName(part: string): Buffer {
  const [attribute = '', ...value] = part.split('=')
  const id = attributes[attribute]
  if (id === undefined) throw new Error(`no such attribute here: ${part}`)
  return der.set(der.sequence(der.oid(id), der.utf8(value.join('='))))
}

// Extensions

const purposes: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
}

function extensionsOf(options: CertificateOptions, keyId: Uint8Array): Buffer[] {
  const { ca, keyUsage, eku, nameConstraints, criticalUnknown } = options
  const subjectKeyId = options.subjectKeyId === false ? [] : [extension('2.5.29.14', false, der.octets(keyId))]
  return [
    ...(ca === undefined ? [] : [extension('2.5.29.19', true, basicConstraints(ca, options.pathLength))]),
    ...(keyUsage === undefined ? [] : [extension('2.5.29.15', true, der.namedBits(keyUsage))]),
    ...(eku === undefined
      ? []
      : [extension('2.5.29.37', false, der.sequence(...eku.map((name) => der.oid(purposes[name] ?? name))))]),
    ...subjectAltName(options),
    ...(nameConstraints === undefined ? [] : [extension('2.5.29.30', true, subtreesOf(nameConstraints))]),
    ...subjectKeyId,
    ...authorityKeyId(options, keyId),
    ...(criticalUnknown === true ? [extension('1.3.6.1.4.1.55555.1', true, der.nothing())] : []),
    ...(options.extensions ?? []).map((whole) => Buffer.from(whole)),
  ]
}

function basicConstraints(ca: boolean, pathLength?: number): Buffer {
  return der.sequence(
    ...(ca ? [der.boolean(true)] : []), // DER leaves the default out
    ...(pathLength === undefined ? [] : [der.integer(pathLength)]),
  )
}

function subjectAltName(options: CertificateOptions): Buffer[] {
  const names = [
    ...(options.dnsNames ?? []).map((name) => der.taggedValue(2, Buffer.from(name, 'latin1'))),
    ...(options.emails ?? []).map((email) => der.taggedValue(1, Buffer.from(email, 'latin1'))),
    ...(options.ipAddresses ?? []).map((address) => der.taggedValue(7, addressOctets(address))),
  ]
  return names.length === 0 ? [] : [extension('2.5.29.17', false, der.sequence(...names))]
}

function addressOctets(address: string): Buffer {
  if (isIP(address) !== 4) throw new Error(`IPv4 only here: ${address}`)
  return Buffer.from(address.split('.').map(Number))
}

function subtreesOf(constraints: { readonly permitted?: Subtrees; readonly excluded?: Subtrees }): Buffer {
  const { permitted, excluded } = constraints
  return der.sequence(
    ...(permitted === undefined ? [] : [der.tagged(0, ...subtrees(permitted))]),
    ...(excluded === undefined ? [] : [der.tagged(1, ...subtrees(excluded))]),
  )
}

function subtrees({ dns = [], email = [], dn = [], ip = [], uri = [] }: Subtrees): Buffer[] {
  return [
    ...dns.map((name) => der.taggedValue(2, Buffer.from(name, 'latin1'))),
    ...email.map((name) => der.taggedValue(1, Buffer.from(name, 'latin1'))),
    ...dn.map((name) => der.tagged(4, distinguishedName(name))),
    ...ip.map((hex) => der.taggedValue(7, Buffer.from(hex, 'hex'))),
    ...uri.map((name) => der.taggedValue(6, Buffer.from(name, 'latin1'))),
  ].map((base) => der.sequence(base))
}

function authorityKeyId(options: CertificateOptions, ownKeyId: Uint8Array): Buffer[] {
  if (options.authorityKeyId === false) return []
  const keyId = options.authorityKeyId ?? options.issuer?.keyId ?? ownKeyId
  return [extension('2.5.29.35', false, der.sequence(der.taggedValue(0, keyId)))]
}

function keyIdOf(key: CertificateKey): Buffer {
  return createHash('sha1').update(key.spki).digest()
}

// Signatures

const signatureAlgorithms: Readonly<Record<string, string>> = {
  'rsa md5': '1.2.840.113549.1.1.4',
  'rsa sha1': '1.2.840.113549.1.1.5',
  'rsa sha256': '1.2.840.113549.1.1.11',
  'rsa sha384': '1.2.840.113549.1.1.12',
  'rsa sha512': '1.2.840.113549.1.1.13',
  'ec sha1': '1.2.840.10045.4.1',
  'ec sha256': '1.2.840.10045.4.3.2',
  'ec sha384': '1.2.840.10045.4.3.3',
  'ec sha512': '1.2.840.10045.4.3.4',
}

interface Algorithm {
  readonly hash: string | null
  readonly identifier: Buffer
  readonly padding?: { readonly padding: number; readonly saltLength: number }
}

const hashes: Readonly<Record<string, readonly [oid: string, octets: number]>> = {
  sha256: ['2.16.840.1.101.3.4.2.1', 32],
  sha384: ['2.16.840.1.101.3.4.2.2', 48],
  sha512: ['2.16.840.1.101.3.4.2.3', 64],
}

/** SHA-1 is what is meant where no hash is named (RFC 4055 §3.1). */
function pssAlgorithm(hash: string): Algorithm {
  const [id, saltLength] = hashes[hash] ?? [undefined, 20]
  const named = id === undefined ? undefined : der.sequence(der.oid(id))
  const parameters =
    named === undefined
      ? der.sequence()
      : der.sequence(
          der.tagged(0, named),
          der.tagged(1, der.sequence(der.oid('1.2.840.113549.1.1.8'), named)),
          der.tagged(2, der.integer(saltLength)),
        )
  const identifier = der.sequence(der.oid('1.2.840.113549.1.1.10'), parameters)
  return { hash, identifier, padding: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } }
}

function algorithmOf(key: CertificateKey, hash: string): Algorithm {
  if (key.type === 'ed25519') return { hash: null, identifier: der.sequence(der.oid('1.3.101.112')) }
  const id = signatureAlgorithms[`${key.type} ${hash}`]
  if (id === undefined) throw new Error(`no signatures with ${key.type} and ${hash} here`)
  return { hash, identifier: der.sequence(der.oid(id), ...(key.type === 'rsa' ? [der.nothing()] : [])) }
}
