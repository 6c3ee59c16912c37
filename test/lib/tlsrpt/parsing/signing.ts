/**
 * Senders that sign their messages, and the DNS in which their keys are.
 *
 * @module
 */

import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Answer, Lookup, RecordType } from '../../../../dist/lib/dns/index.js'

interface Signing {
  readonly signatureData: readonly object[]
  readonly canonicalization: string
  readonly signTime?: Date
  readonly expires?: Date
}

const require = createRequire(import.meta.url)
const { dkimSign } = require('mailauth/lib/dkim/sign') as {
  dkimSign: (
    message: Buffer,
    options: Signing,
  ) => Promise<{ readonly signatures: string; readonly errors: readonly unknown[] }>
}

export interface SigningKey {
  readonly privateKey: KeyObject
  /** `p=` and `k=` of its record */
  readonly record: string
}

export function rsaKey(bits = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return { privateKey, record: `k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}` }
}

export function ed25519Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  return { privateKey, record: `k=ed25519; p=${raw.toString('base64')}` }
}

export interface SigningOptions {
  readonly domain?: string
  readonly algorithm?: string
  /** `l=` */
  readonly length?: number
  /** `i=` */
  readonly identity?: string
  readonly signTime?: Date
  readonly expires?: Date
}

/** The message with a signature by `tlsrpt._domainkey.<domain>` above it. */
export async function signed(message: Buffer, key: SigningKey, options: SigningOptions = {}): Promise<Buffer> {
  const { domain = 'sender.example', algorithm, length, identity, signTime, expires } = options
  const signature = {
    signingDomain: domain,
    selector: 'tlsrpt',
    privateKey: key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ...(algorithm !== undefined && { algorithm }),
    ...(length !== undefined && { maxBodyLength: length }),
    ...(identity !== undefined && { identity }),
  }
  const { signatures, errors } = await dkimSign(message, {
    canonicalization: 'relaxed/relaxed',
    signatureData: [signature],
    ...(signTime && { signTime }),
    ...(expires && { expires }),
  })
  if (errors.length > 0) throw new Error(`cannot sign: ${JSON.stringify(errors)}`)
  return Buffer.concat([Buffer.from(signatures), message])
}

/** The message with a signature over its From, by a domain in UTF-8 as it is written (RFC 8616 §3), which dkimSign would convert. */
export function signedInUtf8(message: Buffer, { privateKey }: SigningKey, domain: string): Buffer {
  const text = message.toString()
  const [from = ''] = /^From: .*\r\n/m.exec(text) ?? []
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  const hash = createHash('sha256').update(body).digest('base64')
  const field = `DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=${domain}; s=tlsrpt; h=From; bh=${hash}; b=`
  const signature = sign('sha256', Buffer.from(from + field), privateKey).toString('base64')
  return Buffer.from(`${field}${signature}\r\n${text}`)
}

/** What was asked for, and a DNS with these TXT records, and nothing else; a name whose value is `failed` cannot be looked up. */
export function keyServer(records: Readonly<Record<string, readonly string[] | 'failed'>>): {
  readonly lookup: Lookup
  readonly asked: string[]
} {
  const asked: string[] = []
  const answer = (name: string): Answer<'TXT'> => {
    asked.push(name)
    const found = Object.hasOwn(records, name) ? records[name] : undefined
    const answered = { name, canonicalName: name, aliases: [], security: 'insecure', ttl: 60_000 } as const
    if (found === 'failed') return { status: 'failed', name, failure: { class: 'timeout', text: 'no answer' } }
    if (found === undefined) return { ...answered, status: 'absent', why: 'nxdomain' }
    return { ...answered, status: 'found', records: found }
  }
  const lookup: Lookup = <Type extends RecordType>(name: string) => Promise.resolve(answer(name) as Answer<Type>)
  return { lookup, asked }
}
