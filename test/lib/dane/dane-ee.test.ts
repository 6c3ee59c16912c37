import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { presentTlsa, verifyDane } from '../../../dist/lib/dane/index.js'
import { issue, makeKey, selfSigned, tlsaOf } from '../../support/certificates.ts'
import { host, intermediate, leaf, outcome, parameters, past, root, said, stranger, verify } from './chain.ts'

describe('DANE-EE', () => {
  test('D40: nothing matches: refused, and the text says what was presented', () => {
    const result = verify([leaf], [tlsaOf(stranger, 3, 1, 1), tlsaOf(root, 3, 1, 1)])
    assert.equal(outcome(result), 'dane-no-match')
    const record = '3 1 1 [0-9a-f]{8}…'
    const text = `^none of 2 TLSA records matches its certificate \\(${record}, ${record}; presented ${record}\\)$`
    assert.match(said(result), new RegExp(text))
  })

  test('D40: what was presented is shown in the form of each record', () => {
    const said311 = presentTlsa(tlsaOf(leaf, 3, 1, 1))
    const said302 = presentTlsa(tlsaOf(leaf, 3, 0, 2))
    const text = said(verify([leaf], [tlsaOf(stranger, 3, 1, 1), tlsaOf(stranger, 3, 0, 2)]))
    assert.ok(text.endsWith(`; presented ${said311}, ${said302})`), text)
  })

  test('D40: digests that begin alike are shown as far as they differ', () => {
    const own = tlsaOf(leaf, 3, 1, 1)
    const alike = { ...own, data: Buffer.from([...own.data.subarray(0, 10), ...Buffer.alloc(22)]) }
    const text = said(verify([leaf], [alike]))
    const [, record, presented] = /\((.*)…; presented (.*)…\)$/.exec(text) ?? []
    assert.equal(record?.length, '3 1 1 '.length + 32)
    assert.notEqual(record, presented)
  })

  for (const [usage, name, matching] of [
    [3, 'its own', leaf],
    [2, 'an issuer', intermediate],
  ] as const)
    test(`K11: ${name} digest that matches, but is outdone by a stale one, is named, with the rule`, () => {
      const [weak, strong] = [tlsaOf(matching, usage, 1, 1), tlsaOf(stranger, usage, 1, 2)]
      const result = verify([leaf, intermediate], [weak, strong])
      assert.equal(outcome(result), 'dane-no-match')
      assert.deepEqual(result.status === 'refused' && result.outdone, { record: weak, by: strong })
      const beside = `${presentTlsa(weak)} matches, but does not count beside ${presentTlsa(strong)}, a stronger digest (RFC 7671 9)`
      assert.equal(said(result), `${beside}, which matches nothing that it presented`)
    })

  test('D40: without a usable record nothing is accepted', () => {
    assert.equal(outcome(verify([leaf], [])), 'dane-no-match')
  })

  test('D40: no certificate is refused', () => {
    assert.equal(outcome(verify([], [tlsaOf(leaf, 3, 1, 1)])), 'no-certificate')
  })

  test('D37: only the first certificate counts', () => {
    assert.equal(outcome(verify([stranger, leaf], [tlsaOf(leaf, 3, 1, 1)])), 'dane-no-match')
  })

  test('D40: of many records the text shows a few', () => {
    const result = verify(
      [leaf],
      Array.from({ length: 1000 }, () => tlsaOf(stranger, 3, 1, 1)),
    )
    assert.match(said(result), /^none of 1000 TLSA records/)
    assert.ok(said(result).length < 250)
  })

  for (const [selector, matchingType] of parameters) {
    test(`K2: 3 ${selector} ${matchingType} matches the server's certificate`, () => {
      const record = tlsaOf(leaf, 3, selector, matchingType)
      assert.deepEqual(verify([leaf, intermediate], [record]), { status: 'matched', record, depth: 0 })
    })
  }

  test('D37: neither names, dates nor anything else in the certificate counts', () => {
    const odd = { commonName: 'other.test', ca: true, keyUsage: [5], eku: ['clientAuth'], criticalUnknown: true }
    const old = selfSigned({ ...odd, ...past })
    assert.equal(outcome(verify([old], [tlsaOf(old, 3, 1, 1)], [host])), 0)
    assert.equal(outcome(verify([old], [tlsaOf(old, 3, 0, 1)], [])), 0)
  })

  test('D37: a renewed certificate with the same key matches selector 1 only', () => {
    const renewed = issue(stranger, { key: leaf.key })
    assert.equal(outcome(verify([renewed], [tlsaOf(leaf, 3, 1, 1)])), 0)
    assert.equal(outcome(verify([renewed], [tlsaOf(leaf, 3, 0, 1)])), 'dane-no-match')
  })

  for (const selector of [0, 1])
    test(`RSA below 1024 bits is refused, with its reason: 3 ${selector} 1`, () => {
      const weak = selfSigned({ dnsNames: [host], key: makeKey('rsa', 1016) })
      const result = verify([weak], [tlsaOf(weak, 3, selector, 1)])
      assert.equal(outcome(result), 'certificate-not-trusted')
      assert.match(said(result), /^its certificate cannot be used, an RSA key of 1016 bits \(3 \d 1 /)
    })

  for (const key of [
    makeKey('rsa', 1024),
    makeKey('ec', 'brainpoolP256r1'),
    makeKey('ec', 'brainpoolP320r1'),
    makeKey('ec', 'secp256k1'),
    makeKey('ed25519'),
  ])
    test(`D37: a key of another kind is accepted: ${key.spki.length} octets of ${key.type}`, () => {
      const own = selfSigned({ key })
      assert.equal(outcome(verify([own], [tlsaOf(own, 3, 1, 1)])), 0)
    })

  test('a certificate that cannot be read still has a digest, but no key', () => {
    const noise = Buffer.from('no certificate at all')
    const record = { ...tlsaOf(leaf, 3, 0, 0), data: noise }
    assert.equal(outcome(verifyDane([noise], [record], [], new Date())), 0)
    assert.equal(outcome(verifyDane([noise], [tlsaOf(leaf, 3, 1, 1)], [], new Date())), 'dane-no-match')
  })
})
