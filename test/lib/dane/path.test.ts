import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verifyDane } from '../../../dist/lib/dane/index.js'
import { createAuthority, issue, makeKey, selfSigned, tlsaOf, type Certificate } from '../../support/certificates.ts'
import * as der from '../../support/der.ts'
import { host, intermediate, leaf, outcome, parameters, past, root, said, stranger, verify } from './chain.ts'

describe('DANE-TA: which trust anchors there are', () => {
  test('K8: records other than 2 0 0 and 2 1 0 need the certificate in the handshake', () => {
    for (const [selector, matchingType] of parameters.filter(([, type]) => type > 0)) {
      const records = [tlsaOf(root, 2, selector, matchingType)]
      assert.equal(outcome(verify([leaf, intermediate], records)), 'dane-no-match')
    }
  })

  for (const [selector, matchingType] of parameters) {
    test(`the server's own certificate is none: 2 ${selector} ${matchingType}`, () => {
      const own = selfSigned({ dnsNames: [host], ca: true })
      const record = tlsaOf(own, 2, selector, matchingType)
      assert.equal(outcome(verify([own], [record])), 'dane-no-match')
      assert.equal(outcome(verify([own, own], [record])), 'certificate-not-trusted', 'presented twice')
      assert.equal(outcome(verify([leaf, intermediate], [tlsaOf(leaf, 2, selector, matchingType)])), 'dane-no-match')
    })
  }

  for (const [selector, matchingType] of parameters) {
    test(`K2: 2 ${selector} ${matchingType} of a root or an intermediate that was presented`, () => {
      const chain = [leaf, intermediate, root]
      const record = tlsaOf(root, 2, selector, matchingType)
      assert.deepEqual(verify(chain, [record]), { status: 'matched', record, depth: 2, name: host })
      assert.equal(outcome(verify(chain, [tlsaOf(intermediate, 2, selector, matchingType)])), 1)
    })
  }

  test('K8: 2 0 0 works though the certificate is only in DNS', () => {
    assert.equal(outcome(verify([leaf, intermediate], [tlsaOf(root, 2, 0, 0)])), 2)
    assert.equal(outcome(verify([leaf], [tlsaOf(intermediate, 2, 0, 0)])), 1)
  })

  test('K9: 2 1 0 works though no certificate has the key, if it signed the last one', () => {
    assert.equal(outcome(verify([leaf, intermediate], [tlsaOf(root, 2, 1, 0)])), 2)
    assert.equal(outcome(verify([leaf], [tlsaOf(intermediate, 2, 1, 0)])), 1)
    assert.equal(outcome(verify([leaf, intermediate], [tlsaOf(stranger, 2, 1, 0)])), 'dane-no-match')
  })

  test('K9: 2 1 0, and the certificate that it signed is expired', () => {
    const expired = createAuthority('Intermediate', { issuer: root, key: intermediate.key, ...past })
    assert.equal(outcome(verify([leaf, expired], [tlsaOf(root, 2, 1, 0)])), 'certificate-expired')
  })

  test('K9: 2 1 0 with a weak key', () => {
    const weak = createAuthority('Weak', { key: makeKey('rsa', 768) })
    const below = issue(weak, { dnsNames: [host] })
    assert.equal(outcome(verify([below], [tlsaOf(weak, 2, 1, 0)])), 'certificate-not-trusted')
  })

  test('K9, D41: names count with 2 1 0, too', () => {
    const result = verify([leaf, intermediate], [tlsaOf(root, 2, 1, 0)], ['other.test'])
    assert.equal(outcome(result), 'certificate-host-mismatch')
  })
})

describe('DANE-TA: the path', () => {
  const records = [tlsaOf(root, 2, 0, 1)]

  test('a trust anchor stapled to a foreign chain vouches for nothing', () => {
    const result = verify([selfSigned({ dnsNames: [host] }), root], records)
    assert.equal(outcome(result), 'certificate-not-trusted')
    assert.match(said(result), /was not issued by what this record matches/)
  })

  test('a forged issuer name is not enough, be it of the leaf or of an intermediate', () => {
    const forged = issue(intermediate, { dnsNames: [host], issuerKey: makeKey() })
    assert.equal(outcome(verify([forged, intermediate, root], records)), 'certificate-not-trusted')
    const fake = createAuthority('Intermediate', { issuer: root, issuerKey: makeKey() })
    const below = issue(fake, { dnsNames: [host] })
    assert.equal(outcome(verify([below, fake, root], records)), 'certificate-not-trusted')
  })

  test('the right key under another name is not enough', () => {
    const renamed = createAuthority('Another Root', { key: root.key })
    assert.equal(outcome(verify([leaf, intermediate, renamed], [tlsaOf(root, 2, 1, 1)])), 'certificate-not-trusted')
  })

  test('key identifiers that contradict each other break it', () => {
    const astray = issue(intermediate, { dnsNames: [host], authorityKeyId: Buffer.alloc(20, 7) })
    assert.equal(outcome(verify([astray, intermediate, root], records)), 'certificate-not-trusted')
  })

  test('certificates may come in any order, with others between', () => {
    const chain = [leaf, stranger, root, createAuthority('Other', { issuer: stranger }), intermediate]
    assert.equal(outcome(verify(chain, records)), 2)
  })

  test('what cannot be read among them does no harm', () => {
    const noise = [Buffer.alloc(0), Buffer.alloc(100, 0x30), leaf.der.subarray(0, 100)]
    const chain = [leaf.der, ...noise, intermediate.der, ...noise, root.der]
    assert.equal(outcome(verifyDane(chain, records, [host], new Date())), 2)
  })

  test('cross-signed issuers: each way up is tried', () => {
    const { key } = intermediate
    const astray = [
      createAuthority('Intermediate', { issuer: stranger, key }),
      createAuthority('Intermediate', { issuer: intermediate, key }),
      createAuthority('Intermediate', { issuer: root, key, ...past }),
      createAuthority('Intermediate', { issuer: root, key, issuerKey: makeKey() }),
      stranger,
    ]
    assert.equal(outcome(verify([leaf, ...astray, intermediate, root], records)), 2)
  })

  test('the issuer is found by its key where another one has its name', () => {
    const [bare, other] = [1, 2].map(() => createAuthority('Bare', { subjectKeyId: false, authorityKeyId: false }))
    assert.ok(bare !== undefined && other !== undefined)
    const below = issue(bare, { dnsNames: [host], authorityKeyId: false })
    assert.equal(outcome(verify([below, other, bare], [tlsaOf(bare, 2, 0, 1)])), 1)
    assert.equal(outcome(verify([below, other, bare], [tlsaOf(other, 2, 0, 1)])), 'certificate-not-trusted')
  })

  test('a leaf that bears the name of its issuer, and no key identifiers, is still not self-signed', () => {
    const bare = createAuthority('Bare', { subjectKeyId: false, authorityKeyId: false })
    const below = issue(bare, { subject: 'Bare', dnsNames: [host], subjectKeyId: false, authorityKeyId: false })
    assert.equal(outcome(verify([below, bare], [tlsaOf(bare, 2, 0, 1)])), 1)
  })

  test('RSA and Ed25519 sign, too', () => {
    const rsa = createAuthority('RSA', { key: makeKey('rsa') })
    const edwards = createAuthority('Ed25519', { key: makeKey('ed25519'), issuer: rsa })
    const below = issue(edwards, { dnsNames: [host] })
    assert.equal(outcome(verify([below, edwards, rsa], [tlsaOf(rsa, 2, 1, 2)])), 2)
  })
})

describe('DANE-TA: what hostile certificates may cost', () => {
  /** A second or two would stop all other deliveries: a tenth of that is normal here, on a slow machine. */
  function soon(work: () => void): void {
    const started = performance.now()
    work()
    assert.ok(performance.now() - started < 2000)
  }

  /** CAs one above the other; the lowest comes first. */
  function tower(height: number): Certificate[] {
    const lowestFirst = [createAuthority('CA 1')]
    for (let number = 2; number <= height; number++) {
      const [issuer = root] = lowestFirst
      lowestFirst.unshift(createAuthority(`CA ${number}`, { issuer }))
    }
    return lowestFirst
  }

  for (const [height, expected] of [
    [12, 12],
    [13, 'certificate-not-trusted'],
  ] as const) {
    test(`a path of ${height} issuers: ${expected}`, () => {
      const issuers = tower(height)
      const [lowest = root] = issuers
      const below = issue(lowest, { dnsNames: [host] })
      const top = issuers.slice(-1).map((one) => tlsaOf(one, 2, 0, 1))
      assert.equal(outcome(verify([below, ...issuers], top)), expected)
    })
  }

  test('clones of one CA, all signing each other', () => {
    const key = makeKey('rsa')
    const clones = Array.from({ length: 30 }, (_, index) =>
      createAuthority('Clone', { key, serial: BigInt(index + 1) }),
    )
    const below = issue(createAuthority('Clone', { key }), { dnsNames: [host] })
    soon(() => {
      const result = verify([below, root, ...clones], [tlsaOf(root, 2, 0, 1), tlsaOf(stranger, 2, 1, 0)])
      assert.equal(outcome(result), 'certificate-not-trusted')
    })
  })

  test('a crowd in which everyone signed everyone', () => {
    const people = [1, 2, 3, 4, 5].map((number) => createAuthority(`Person ${number}`))
    const crowd = people.flatMap(({ key }, index) =>
      people.map((issuer) => createAuthority(`Person ${index + 1}`, { key, issuer })),
    )
    const below = issue(people[0] ?? root, { dnsNames: [host] })
    soon(() =>
      assert.equal(outcome(verify([below, root, ...crowd], [tlsaOf(root, 2, 0, 1)])), 'certificate-not-trusted'),
    )
  })

  test('hundreds of certificates', () => {
    const crowd = Array.from({ length: 300 }, () => root.der)
    soon(() => {
      const chain = [leaf.der, ...crowd, intermediate.der]
      const result = verifyDane(chain, [tlsaOf(intermediate, 2, 0, 1)], [host], new Date())
      assert.equal(outcome(result), 'dane-no-match', 'what comes last is not looked at')
    })
  })

  test('as many records as fit into an answer, and as many certificates as are looked at', () => {
    const records = Array.from({ length: 1500 }, (_, index) => ({
      ...tlsaOf(root, 2, 0, 1),
      data: Buffer.alloc(32, index),
    }))
    const crowd = Array.from({ length: 30 }, (_, index) => createAuthority(`CA ${index}`))
    soon(() => assert.equal(outcome(verify([leaf, intermediate, ...crowd], records)), 'dane-no-match'))
  })

  test('hundreds of keys in DNS', () => {
    const records = Array.from({ length: 300 }, () => tlsaOf(selfSigned(), 2, 1, 0))
    soon(() => assert.equal(outcome(verify([leaf, intermediate], records)), 'dane-no-match'))
  })

  test('an RSA key of enormous size is not used', () => {
    const modulus = der.integer((1n << 16383n) + 1n)
    const spki = der.sequence(
      der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nothing()),
      der.bits(der.sequence(modulus, der.integer(65537))),
    )
    const giant = createAuthority('Giant', { key: { ...makeKey(), spki } })
    const below = issue(giant, { dnsNames: [host] })
    assert.equal(outcome(verify([below, giant], [tlsaOf(giant, 2, 0, 1)])), 'certificate-not-trusted')
  })
})
