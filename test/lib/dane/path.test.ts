import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { presentTlsa, verifyDane } from '../../../dist/lib/dane/index.js'
import { createAuthority, issue, makeKey, selfSigned, tlsaOf, type Certificate } from '../../support/certificates.ts'
import * as der from '../../support/der.ts'
import { host, intermediate, leaf, outcome, parameters, past, root, said, stranger, verify } from './chain.ts'

describe('DANE-TA: which trust anchors there are', () => {
  test('K8: records other than 2 0 0 and 2 1 0 need the certificate in the handshake', () => {
    for (const [selector, matchingType] of parameters.filter(([, type]) => type > 0)) {
      const records = [tlsaOf(root, 2, selector, matchingType)]
      const result = verify([leaf, intermediate], records)
      assert.equal(outcome(result), 'dane-no-match')
      const [record, presented] = [...records, tlsaOf(intermediate, 2, selector, matchingType)].map((one) =>
        presentTlsa(one),
      )
      const none = 'none of 1 TLSA record matches an issuer of its certificate'
      assert.equal(said(result), `${none} (${record}; presented ${presented})`)
    }
  })

  test('a server that presents no issuer is told so', () => {
    assert.match(said(verify([leaf], [tlsaOf(root, 2, 0, 1)])), /; presented no issuer\)$/)
  })

  test('records of both kinds show its certificate and its issuers', () => {
    const text = said(verify([leaf, intermediate], [tlsaOf(root, 2, 0, 1), tlsaOf(stranger, 3, 1, 1)]))
    assert.match(text, /matches its certificate or an issuer of it \(.*; presented 2 0 1 \S+, 3 1 1 \S+\)$/)
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
    const result = verify([below], [tlsaOf(weak, 2, 1, 0)])
    assert.equal(outcome(result), 'certificate-not-trusted')
    assert.match(said(result), /one issuer cannot be used, an RSA key of 768 bits/)
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

describe('DANE-TA: keys by which nothing is verified', () => {
  const rsa = (modulus: bigint, exponent: bigint): Buffer =>
    der.sequence(
      der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nothing()),
      der.bits(der.sequence(der.integer(modulus), der.integer(exponent))),
    )
  const curve = (...parameters: readonly Uint8Array[]): Buffer =>
    der.sequence(der.sequence(der.oid('1.2.840.10045.2.1'), ...parameters), der.bits(Buffer.alloc(65, 4)))
  const modulus = (bits: number): bigint => (1n << BigInt(bits)) - 1n

  for (const [what, spki, flaw] of [
    ['RSA of 1023 bits', rsa(modulus(1023), 65537n), 'an RSA key of 1023 bits'],
    ['RSA of 8193 bits', rsa(modulus(8193), 65537n), 'an RSA key of 8193 bits'],
    ['an RSA exponent of 65 bits', rsa(modulus(2048), 1n << 64n), 'an RSA exponent of 65 bits'],
    [
      'RSA without an exponent',
      der.sequence(rsa(5n, 3n).subarray(2, 17), der.bits(der.nothing())),
      'a malformed RSA key',
    ],
    ['sect571r1', makeKey('ec', 'sect571r1').spki, 'a weak or unusual curve'],
    ['a curve that is described', curve(der.sequence(der.integer(1))), 'a curve without a name'],
    ['a curve that is not there', curve(), 'a curve without a name'],
    [
      'an unknown kind',
      der.sequence(der.sequence(der.oid('1.2.3.4')), der.bits(Buffer.alloc(9))),
      'a key of an unknown kind',
    ],
  ] as const)
    test(what, () => {
      const result = verifyDane(
        [leaf.der],
        [{ usage: 2, selector: 1, matchingType: 0, data: spki }],
        [host],
        new Date(),
      )
      assert.match(said(result), new RegExp(`one issuer cannot be used, ${flaw} `))
    })

  for (const [what, spki] of [
    ['RSA of 1024 bits', rsa(modulus(1024), 3n)],
    ['RSA of 8192 bits', rsa(modulus(8192), 65537n)],
    ['an RSA exponent of 64 bits', rsa(modulus(2048), modulus(64))],
    ['brainpoolP512r1', makeKey('ec', 'brainpoolP512r1').spki],
  ] as const)
    test(`${what} is none of them`, () => {
      const result = verifyDane(
        [leaf.der],
        [{ usage: 2, selector: 1, matchingType: 0, data: spki }],
        [host],
        new Date(),
      )
      assert.equal(outcome(result), 'dane-no-match')
    })
})

describe('DANE-TA: what hostile certificates may cost', () => {
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
    const result = verify([below, root, ...clones], [tlsaOf(root, 2, 0, 1), tlsaOf(stranger, 2, 1, 0)])
    assert.equal(outcome(result), 'certificate-not-trusted')
  })

  test('a crowd in which everyone signed everyone', () => {
    const people = [1, 2, 3, 4, 5].map((number) => createAuthority(`Person ${number}`))
    const crowd = people.flatMap(({ key }, index) =>
      people.map((issuer) => createAuthority(`Person ${index + 1}`, { key, issuer })),
    )
    const below = issue(people[0] ?? root, { dnsNames: [host] })
    assert.equal(outcome(verify([below, root, ...crowd], [tlsaOf(root, 2, 0, 1)])), 'certificate-not-trusted')
  })

  test('hundreds of certificates', () => {
    const crowd = Array.from({ length: 300 }, () => root.der)
    const chain = [leaf.der, ...crowd, intermediate.der]
    const result = verifyDane(chain, [tlsaOf(intermediate, 2, 0, 1)], [host], new Date())
    assert.equal(outcome(result), 'dane-no-match', 'what comes last is not looked at')
  })

  test('as many records as fit into an answer, and as many certificates as are looked at', () => {
    const records = Array.from({ length: 1500 }, (_, index) => ({
      ...tlsaOf(root, 2, 0, 1),
      data: Buffer.alloc(32, index),
    }))
    const crowd = Array.from({ length: 30 }, (_, index) => createAuthority(`CA ${index}`))
    assert.equal(outcome(verify([leaf, intermediate, ...crowd], records)), 'dane-no-match')
  })

  test('hundreds of keys in DNS', () => {
    const records = Array.from({ length: 300 }, () => tlsaOf(selfSigned(), 2, 1, 0))
    assert.equal(outcome(verify([leaf, intermediate], records)), 'dane-no-match')
  })

  test('what is refused because it takes too long says so, and in which way', () => {
    const clones = Array.from({ length: 31 }, (_, index) =>
      createAuthority('Clone', {
        serial: BigInt(index + 1),
        subjectKeyId: false,
        authorityKeyId: false,
        key: makeKey('ec', 'P-521'),
      }),
    )
    const below = issue(createAuthority('Clone'), { dnsNames: [host], authorityKeyId: false })
    const result = verify(
      [below, ...clones],
      clones.slice(-1).map((one) => tlsaOf(one, 2, 0, 1)),
    )
    assert.equal(outcome(result), 'certificate-not-trusted')
    assert.match(
      said(result),
      /^it takes too long to verify, too many signatures to verify \(2 0 1 [0-9a-f]{8}…; presented 3 1 1 /,
    )
    assert.equal(outcome(verify([below, ...clones], [tlsaOf(root, 2, 0, 1)])), 'dane-no-match', 'none is looked for')
  })

  test('an honest chain of six certificates with 2,000 names and 100 subtrees is accepted', () => {
    const dnsNames = [
      ...Array.from({ length: 1999 }, (_, index) => `host-${index}.department-${index % 7}.example.test`),
      host,
    ]
    const subtrees = Array.from({ length: 99 }, (_, index) => `department-${index}.example.org`)
    for (const [type, size] of [
      ['ec', 'P-521'],
      ['ec', 'brainpoolP512r1'],
      ['rsa', 4096],
    ] as const) {
      const key = makeKey(type, size)
      const top = createAuthority('CA 5', {
        key,
        nameConstraints: { permitted: { dns: [...subtrees, 'example.test'] } },
      })
      const issuers = [4, 3, 2, 1].reduce<Certificate[]>(
        ([issuer = top, ...above], number) => [createAuthority(`CA ${number}`, { key, issuer }), issuer, ...above],
        [top],
      )
      const below = issue(issuers[0] ?? top, { dnsNames, key })
      assert.equal(outcome(verify([below, ...issuers], [tlsaOf(top, 2, 0, 1)])), 5, `${type} ${size}`)
    }
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
