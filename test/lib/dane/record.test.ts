import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answer, Lookup } from '../../../dist/lib/dns/index.js'
import {
  findTlsa,
  formatTlsa,
  presentedDigest,
  presentTlsa,
  usageName,
  verifyDane,
} from '../../../dist/lib/dane/index.js'
import { sequence } from '../../support/der.ts'
import { createAuthority, extension, makeKey, selfSigned, tlsaOf } from '../../support/certificates.ts'

interface Parameters {
  usage?: number
  selector?: number
  matchingType?: number
  data?: Uint8Array
}

const record = ({ usage = 3, selector = 1, matchingType = 1, data = Buffer.alloc(32, 0xab) }: Parameters = {}) => ({
  usage,
  selector,
  matchingType,
  data,
})

/** Through the door: what a search makes of these records. */
async function sort(...records: ReturnType<typeof record>[]) {
  const found = {
    name: 'mx.test',
    canonicalName: 'mx.test',
    aliases: [],
    security: 'secure',
    ttl: 1,
    status: 'found',
  } as const
  const lookup = (() => Promise.resolve({ ...found, records })) as unknown as Lookup
  const a: Answer<'A'> = { ...found, records: ['192.0.2.1'] }
  const evidence = await findTlsa(lookup, 'mx.test', 25, { a, aaaa: { ...found, records: ['2001:db8::1'] } })
  assert.equal(evidence.status, 'found')
  return evidence
}

const certificate = selfSigned({ commonName: 'mx.test' })

describe('TLSA records that cannot be used', () => {
  const withTrailer = Buffer.concat([certificate.der, Buffer.from([0])])
  const pem = Buffer.from(certificate.pem)
  const unusable: [string, Parameters, RegExp][] = [
    ['D39: usage 0', { usage: 0 }, /^usage 0 \(PKIX-TA\) is not for SMTP$/],
    ['D39: usage 1', { usage: 1 }, /^usage 1 \(PKIX-EE\) is not for SMTP$/],
    ['K1: an unknown usage', { usage: 4 }, /^usage 4 is unknown$/],
    ['K1: the private usage', { usage: 255 }, /^usage 255 is unknown$/],
    ['K1: an unknown selector', { selector: 2 }, /^selector 2 is unknown$/],
    ['K1: an unknown matching type', { matchingType: 3 }, /^matching type 3 is unknown$/],
    ['K14: no data', { data: Buffer.alloc(0) }, /^no data$/],
    ['K14: no full data', { matchingType: 0, data: Buffer.alloc(0) }, /^no data$/],
    [
      'K14: no matching type',
      { matchingType: 255, data: Buffer.alloc(0) },
      /^it is too short to have its three octets$/,
    ],
    ['K14: a short digest', { data: Buffer.alloc(20) }, /^SHA2-256 digest of 20 octets$/],
    ['K14: a long digest', { data: Buffer.alloc(33) }, /^SHA2-256 digest of 33 octets$/],
    ['K14: a digest of the other kind', { matchingType: 2 }, /^SHA2-512 digest of 32 octets$/],
    ['K14: a full certificate that is none', { selector: 0, matchingType: 0 }, /^not a certificate: malformed$/],
    [
      'K14: a key for a certificate',
      { selector: 0, matchingType: 0, data: certificate.key.spki },
      /^not a certificate/,
    ],
    ['K14: a certificate for a key', { matchingType: 0, data: certificate.der }, /^not a public key/],
    ['K14: a certificate with more behind it', { selector: 0, matchingType: 0, data: withTrailer }, /^not a cert/],
    ['K14: a certificate in PEM', { selector: 0, matchingType: 0, data: pem }, /^not a certificate/],
    ['K14: a key of no kind', { matchingType: 0, data: sequence(sequence()) }, /^not a public key/],
  ]
  for (const [name, parameters, why] of unusable) {
    test(name, async () => {
      const good = record({ data: Buffer.alloc(32, 1) })
      const evidence = await sort(record(parameters), good)
      assert.deepEqual(evidence.usable, [good], 'a bad record never spoils the others')
      assert.match(evidence.unusable[0]?.why ?? '', why)
    })
  }
})

describe('TLSA records that can be used', () => {
  for (const usage of [2, 3]) {
    for (const selector of [0, 1]) {
      for (const matchingType of [0, 1, 2]) {
        test(`K2: ${usage} ${selector} ${matchingType}`, async () => {
          const { usable, unusable } = await sort(tlsaOf(certificate, usage, selector, matchingType))
          assert.equal(usable.length, 1)
          assert.deepEqual(unusable, [])
        })
      }
    }
  }

  test('K14: a certificate that no path could contain, but that is one', async () => {
    const odd = selfSigned({ criticalUnknown: true, extensions: [extension('2.5.29.15', true, Buffer.from('no DER'))] })
    const { usable } = await sort(tlsaOf(odd, 3, 0, 0), tlsaOf(odd, 2, 0, 0))
    assert.equal(usable.length, 2)
    assert.equal(verifyDane([odd.der], usable, [], new Date()).status, 'matched')
  })

  test('of hundreds of full records only some are decoded, and the others count: authentication stays', async () => {
    const noise = Array.from({ length: 300 }, (_, index) => record({ matchingType: 0, data: Buffer.alloc(50, index) }))
    const { usable, unusable } = await sort(...noise)
    assert.equal(unusable.length, 32)
    assert.equal(usable.length, 268)
    assert.equal(verifyDane([selfSigned().der], usable, [], new Date()).status, 'refused')
  })

  for (const type of ['rsa', 'ed25519'] as const) {
    test(`full keys and certificates with ${type}`, async () => {
      const other = selfSigned({ key: makeKey(type) })
      const { usable } = await sort(tlsaOf(other, 3, 0, 0), tlsaOf(other, 3, 1, 0))
      assert.equal(usable.length, 2)
    })
  }
})

describe('digest agility', () => {
  const other = selfSigned()
  const matches = (...records: ReturnType<typeof tlsaOf>[]) =>
    verifyDane([certificate.der], records, [], new Date()).status === 'matched'

  test('K11, D45: where SHA2-512 is published, a SHA2-256 match alone is not accepted', () => {
    assert.equal(matches(tlsaOf(certificate, 3, 1, 1), tlsaOf(other, 3, 1, 2)), false)
    assert.equal(matches(tlsaOf(other, 3, 1, 1), tlsaOf(certificate, 3, 1, 2)), true)
  })

  test('K11: full records always count', () => {
    assert.equal(matches(tlsaOf(certificate, 3, 1, 0), tlsaOf(other, 3, 1, 2)), true)
    assert.equal(matches(tlsaOf(other, 3, 1, 0), tlsaOf(certificate, 3, 1, 1)), true)
  })

  test('K11: each usage and each selector is for itself', () => {
    assert.equal(matches(tlsaOf(certificate, 3, 0, 1), tlsaOf(other, 3, 1, 2)), true)
    assert.equal(matches(tlsaOf(certificate, 3, 1, 1), tlsaOf(other, 2, 1, 2)), true)
  })

  test('K11: a malformed strong digest does not displace a good weak one', async () => {
    const broken = { ...tlsaOf(other, 3, 1, 2), data: Buffer.alloc(63) }
    const { usable } = await sort(broken, tlsaOf(certificate, 3, 1, 1))
    assert.equal(verifyDane([certificate.der], usable, [], new Date()).status, 'matched')
  })
})

describe('writing TLSA records', () => {
  test('for people: the parameters and the first octets', () => {
    assert.equal(presentTlsa(record()), '3 1 1 abababab…')
    assert.equal(presentTlsa(record({ data: Buffer.from('0102', 'hex') })), '3 1 1 0102')
  })

  test('one that is too short: the octets that there are (RFC 3597 5)', () => {
    const short = record({ matchingType: 255, data: Buffer.alloc(0) })
    assert.deepEqual([presentTlsa(short), formatTlsa(short)], ['\\# 2 0301', '\\# 2 0301'])
    assert.equal(formatTlsa({ ...short, usage: 255, selector: 255 }), '\\# 0')
  })

  test('R13: for reports: whole, with neither spaces nor parentheses in the data', () => {
    assert.equal(formatTlsa(record()), `3 1 1 ${'AB'.repeat(32)}`)
  })

  test('the usage by its name', () => {
    assert.deepEqual([0, 1, 2, 3, 77].map(usageName), ['PKIX-TA', 'PKIX-EE', 'DANE-TA', 'DANE-EE', 'usage 77'])
  })

  test('what a certificate would match', () => {
    assert.equal(presentedDigest(certificate.der), presentTlsa(tlsaOf(certificate, 3, 1, 1)))
    assert.match(presentedDigest(Buffer.from('no certificate')), /^3 0 1 [0-9a-f]{8}…$/)
    assert.equal(presentedDigest(createAuthority('A', { version: 1 }).der).slice(0, 5), '3 1 1')
  })
})
