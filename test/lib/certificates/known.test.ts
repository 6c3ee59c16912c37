import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { acquaintanceOf, seenCertificate, type KnownCertificate } from '../../../dist/lib/certificates/index.js'
import { makeKey, selfSigned } from '../../support/certificates.ts'

const HOST = 'mx.example.test'
const key = makeKey()
const certificate = selfSigned({ dnsNames: [HOST], key })
const seen = seenCertificate(HOST, certificate.der, 'self-signed')

describe('a certificate that is not valid', () => {
  test('is kept by host and public key, with its names and its flaw', () => {
    const spki = createHash('sha256').update(key.spki).digest('hex')
    assert.deepEqual(seen, { host: HOST, spki, names: `DNS:${HOST}`, flaw: 'self-signed' })
  })

  test('is the same when it is made anew with its key', () => {
    const again = selfSigned({ dnsNames: [HOST], key, notAfter: new Date('2030-01-01T00:00:00Z') })
    assert.deepEqual(seenCertificate(HOST, again.der, 'self-signed'), seen)
  })

  test('that nobody can parse is kept, too, whole', () => {
    const spki = createHash('sha256').update('garbage').digest('hex')
    assert.deepEqual(seenCertificate(HOST, Buffer.from('garbage'), 'x'), { host: HOST, spki, names: '', flaw: 'x' })
  })

  test('with thousands of names is kept with some of them', () => {
    const many = selfSigned({ dnsNames: Array.from({ length: 500 }, (_, index) => `name${index}.test`) })
    assert.equal(seenCertificate(HOST, many.der, 'x').names.length, 1000)
  })
})

describe('beside those that are known of its host', () => {
  const { spki, names, flaw } = seen
  const known = (over: Partial<KnownCertificate> = {}): KnownCertificate => ({
    ...{ spki, names, flaw, firstSeen: 2000 },
    ...over,
  })
  const cases: Readonly<Record<string, readonly [readonly KnownCertificate[], ReturnType<typeof acquaintanceOf>]>> = {
    'none is known': [[], undefined],
    'its key is known': [[known({ spki: 'x', firstSeen: 1000 }), known()], { is: 'known', since: new Date(2000) }],
    'its key is known, with other names and another flaw': [
      [known({ names: 'DNS:x.test', flaw: 'certificate-expired' })],
      { is: 'known', since: new Date(2000) },
    ],
    'another key has its names and its flaw': [
      [known({ spki: 'x' }), known({ spki: 'y', flaw: 'z', firstSeen: 1000 })],
      { is: 'renewed', since: new Date(1000) },
    ],
    'another key has other names': [[known({ spki: 'x', names: 'y' })], { is: 'other', since: new Date(2000) }],
    'another key has another flaw': [[known({ spki: 'x', flaw: 'y' })], { is: 'other', since: new Date(2000) }],
  }
  for (const [what, [list, expected]] of Object.entries(cases))
    test(what, () => assert.deepEqual(acquaintanceOf(seen, list), expected))
})
