/**
 * Verifies DKIM signatures (RFC 6376, RFC 8463) with nothing but node:crypto: written for the tests, so that what we sign is not judged by
 * the library that signs it.
 *
 * @module
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'

export interface Signature {
  readonly domain: string
  readonly selector: string
  readonly algorithm: string
  /** the names in h=, in lower case */
  readonly signed: readonly string[]
  readonly tags: ReadonlyMap<string, string>
  /** undefined: it holds */
  readonly problem: string | undefined
}

/** The TXT record at a name, as one string; undefined: there is none. */
export type TxtRecords = (name: string) => string | undefined

/** All signatures of a message, the topmost first. */
export function verifySignatures(message: string, records: TxtRecords): Signature[] {
  const end = message.indexOf('\r\n\r\n')
  const fields = message.slice(0, end).split(/\r\n(?![ \t])/)
  const body = message.slice(end + 4)
  return fields
    .filter((field) => nameOf(field) === 'dkim-signature')
    .map((field) => judge(field, fields, body, records))
}

function judge(field: string, fields: readonly string[], body: string, records: TxtRecords): Signature {
  const tags = readTags(field.slice(field.indexOf(':') + 1))
  const get = (name: string): string => (tags.get(name) ?? '').replace(/\s+/g, '')
  const signed = get('h').toLowerCase().split(':')
  const facts = { domain: get('d'), selector: get('s'), algorithm: get('a'), signed, tags }
  const problemIn = (): string | undefined => {
    if (get('v') !== '1') return 'no version 1'
    if (tags.has('l')) return 'l= is used'
    if (get('c') !== 'relaxed/relaxed') return `canonicalization ${get('c')}`
    if (!signed.includes('from')) return 'From is not signed'
    const hash = createHash('sha256').update(relaxedBody(body), 'latin1').digest('base64')
    if (hash !== get('bh')) return `body hash ${hash}, not ${get('bh')}`
    const key = publicKey(facts.algorithm, records(`${facts.selector}._domainkey.${facts.domain}`))
    if (typeof key === 'string') return key
    const data = Buffer.from(signedData(field, fields, signed), 'latin1')
    return holds(facts.algorithm, data, key, Buffer.from(get('b'), 'base64'))
      ? undefined
      : 'the signature does not match'
  }
  return { ...facts, problem: problemIn() }
}

function holds(algorithm: string, data: Buffer, key: KeyObject, signature: Buffer): boolean {
  if (algorithm === 'rsa-sha256') return verify('sha256', data, key, signature)
  return verify(null, createHash('sha256').update(data).digest(), key, signature) // RFC 8463 3
}

/** @returns a text: why there is none */
function publicKey(algorithm: string, record: string | undefined): KeyObject | string {
  if (record === undefined) return 'no key record'
  const tags = readTags(record)
  const type = tags.get('k') ?? 'rsa'
  const bytes = Buffer.from((tags.get('p') ?? '').replace(/\s+/g, ''), 'base64')
  if (algorithm !== `${type}-sha256`) return `${algorithm} with a key for ${type}`
  if (type === 'rsa') return createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** What a key's record says: the public half of a private key, as it is published. */
export function keyRecord(key: KeyObject, more = 's=email:tlsrpt'): string {
  const publicHalf = createPublicKey(key)
  const spki = publicHalf.export({ format: 'der', type: 'spki' })
  const type = publicHalf.asymmetricKeyType === 'rsa' ? 'rsa' : 'ed25519'
  const bytes = type === 'rsa' ? spki : spki.subarray(-32)
  return `v=DKIM1; k=${type}; ${more}; p=${bytes.toString('base64')}`
}

/** RFC 6376 3.7: the fields in the order of h=, from the bottom of the header up, then the signature itself without b=. */
function signedData(field: string, fields: readonly string[], signed: readonly string[]): string {
  const left = [...fields]
  const lines = signed.flatMap((name) => {
    const index = left.findLastIndex((candidate) => nameOf(candidate) === name)
    return index < 0 ? [] : left.splice(index, 1).map((found) => `${relaxedField(found)}\r\n`)
  })
  const bare = field.replace(/([;\s]b=)[^;]*/, '$1')
  return lines.join('') + relaxedField(bare)
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trim().toLowerCase()
}

function relaxedField(field: string): string {
  const value = field
    .slice(field.indexOf(':') + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
  return `${nameOf(field)}:${value.trim()}`
}

function relaxedBody(body: string): string {
  const text = body
    .replace(/[ \t]+/g, ' ')
    .replace(/ (?=\r\n|$)/g, '')
    .replace(/(?:\r\n)*$/, '')
  return text === '' ? '' : `${text}\r\n`
}

function readTags(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(';').map((tag) => /^\s*([a-z]+)\s*=([^]*)$/i.exec(tag))
  return new Map(pairs.flatMap((match) => (match === null ? [] : [[match[1] ?? '', (match[2] ?? '').trim()]])))
}
