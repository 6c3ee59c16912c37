import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verifyDane } from '../../../dist/lib/dane/index.js'
import {
  createAuthority,
  extension,
  issue,
  makeCertificate,
  makeKey,
  tlsaOf,
  type Certificate,
  type CertificateOptions,
} from '../../support/certificates.ts'
import * as der from '../../support/der.ts'

const host = 'mx.example.test'

/** undefined: accepted under the last certificate as `2 0 1`; otherwise why not. */
function refusal(...chain: readonly Certificate[]): string | undefined {
  const [anchor] = chain.slice(-1)
  assert.ok(anchor)
  const result = verifyDane(
    chain.map((one) => one.der),
    [tlsaOf(anchor, 2, 0, 1)],
    [host],
    new Date(),
  )
  if (result.status === 'matched') return undefined
  assert.equal(result.why, 'certificate-not-trusted', result.text)
  return result.text
}

/** Root, intermediate and leaf, one of them otherwise than usual. */
function chainWith(options: {
  leaf?: CertificateOptions
  intermediate?: CertificateOptions
  root?: CertificateOptions
}) {
  const root = createAuthority('Root', options.root)
  const intermediate = createAuthority('Intermediate', { issuer: root, ...options.intermediate })
  return [issue(intermediate, { dnsNames: [host], ...options.leaf }), intermediate, root]
}

const netscapeType = (...bits: readonly number[]) => [extension('2.16.840.1.113730.1.1', true, der.namedBits(bits))]
const notCritical = (id: string, content: Uint8Array) => [extension(id, false, content)]

describe('D38, RFC 5280: what a path may consist of', () => {
  const basicConstraints = '2.5.29.19'
  const refused: [string, Parameters<typeof chainWith>[0], RegExp][] = [
    ['an intermediate that is no CA', { intermediate: { ca: false, keyUsage: [0] } }, /not issued by|not a CA/],
    ['an intermediate with cA false and keyCertSign', { intermediate: { ca: false } }, /depth 1 is not a CA/],
    ['an intermediate that may not sign', { intermediate: { keyUsage: [6] } }, /not issued by|may not sign/],
    ['a trust anchor with cA false', { root: { ca: false } }, /depth 2 is not a CA/],
    ['a trust anchor that may not sign', { root: { keyUsage: [6] } }, /not issued by|may not sign/],
    ['an intermediate of version 1', { intermediate: { version: 1 } }, /depth 1 is not a CA/],
    ['a leaf for clients', { leaf: { eku: ['clientAuth'] } }, /not for TLS servers/],
    ['a leaf for anything', { leaf: { eku: ['any'] } }, /not for TLS servers/],
    ['a leaf that may only sign certificates', { leaf: { keyUsage: [5] } }, /not for TLS servers/],
    ['an intermediate for clients', { intermediate: { eku: ['clientAuth'] } }, /depth 1 is not for TLS servers/],
    ['a trust anchor for clients', { root: { eku: ['clientAuth'] } }, /depth 2 is not for TLS servers/],
    ['D38: a path longer than the trust anchor allows', { root: { pathLength: 0 } }, /longer than its CA at depth 2/],
    ['an unknown critical extension in the leaf', { leaf: { criticalUnknown: true } }, /extension is unknown/],
    ['one in an intermediate', { intermediate: { criticalUnknown: true } }, /./],
    ['one in the trust anchor', { root: { criticalUnknown: true } }, /./],
    ['SHA-1 under the leaf', { leaf: { hash: 'sha1' } }, /signature at depth 0 is weak/],
    ['SHA-1 under an intermediate', { intermediate: { hash: 'sha1' } }, /signature at depth 1 is weak/],
    ['a weak key in the trust anchor', { root: { key: makeKey('rsa', 768) } }, /an RSA key of 768 bits/],
    ['a weak key in an intermediate', { intermediate: { key: makeKey('rsa', 768) } }, /an RSA key of 768 bits/],
    ['a weak key in the leaf', { leaf: { key: makeKey('rsa', 768) } }, /cannot be used, an RSA key of 768 bits/],
    ['a small curve', { leaf: { key: makeKey('ec', 'secp128r1') } }, /cannot be used, a weak or unusual curve/],
    ['a large curve of characteristic two', { root: { key: makeKey('ec', 'sect571r1') } }, /a weak or unusual curve/],
    ['an nsCertType for clients', { leaf: { extensions: netscapeType(0) } }, /not for TLS servers/],
    ['an nsCertType of nothing', { leaf: { extensions: netscapeType() } }, /not for TLS servers/],
    ['key usage of three octets', { leaf: { keyUsage: [0, 20] } }, /an extension is malformed/],
    [
      'an extension that is there twice',
      { leaf: { ca: false, extensions: notCritical(basicConstraints, der.sequence()) } },
      /an extension is there twice/,
    ],
    [
      'a path length without cA',
      {
        intermediate: {
          ca: undefined,
          extensions: notCritical(basicConstraints, der.sequence(der.integer(1))),
        },
      },
      /./,
    ],
    [
      'malformed key usage',
      { leaf: { extensions: notCritical('2.5.29.15', der.octets()) } },
      /an extension is malformed/,
    ],
    [
      'a malformed subjectAltName',
      { leaf: { dnsNames: [], extensions: notCritical('2.5.29.17', der.octets()) } },
      /malformed/,
    ],
    ['name constraints without a subtree', { root: { extensions: notCritical('2.5.29.30', der.sequence()) } }, /./],
    ['critical policy constraints', { root: { extensions: [extension('2.5.29.36', true, der.sequence())] } }, /./],
  ]
  for (const [what, options, why] of refused) {
    test(`${what} is refused`, () => assert.match(refusal(...chainWith(options)) ?? 'accepted', why))
  }

  test('MD5 is refused', () => {
    const key = makeKey('rsa')
    assert.match(
      refusal(...chainWith({ intermediate: { key }, leaf: { hash: 'md5' } })) ?? 'accepted',
      /signature at depth 0/,
    )
  })

  test('RSA-PSS with SHA-1 is refused, with SHA2 accepted', () => {
    const key = makeKey('rsa')
    const under = (hash: 'sha1' | 'sha256' | 'sha512') =>
      chainWith({ intermediate: { key }, leaf: { hash, pss: true } })
    assert.match(refusal(...under('sha1')) ?? 'accepted', /signature at depth 0/)
    assert.equal(refusal(...under('sha256')), undefined)
    assert.equal(refusal(...under('sha512')), undefined)
  })

  const accepted: [string, Parameters<typeof chainWith>[0]][] = [
    ['the usual chain', {}],
    ['no key usage anywhere', { root: { ca: true, keyUsage: undefined } }],
    ['a path length that is just enough', { root: { pathLength: 1 }, intermediate: { pathLength: 0 } }],
    ['serverAuth all the way', { root: { eku: ['serverAuth'] }, intermediate: { eku: ['clientAuth', 'serverAuth'] } }],
    ['a leaf without extended key usage', { leaf: { eku: undefined } }],
    ['a leaf that is a CA itself', { leaf: { ca: true, keyUsage: [0, 5] } }],
    ['key encipherment alone', { leaf: { keyUsage: [2] } }],
    ['SHA-1 on the trust anchor, whose signature nobody needs', { root: { hash: 'sha1' } }],
    ['SHA2-384 and SHA2-512', { leaf: { hash: 'sha512' }, intermediate: { hash: 'sha384' } }],
    ['a trust anchor of version 1, signed by itself', { root: { version: 1 } }],
    ['a trust anchor without basicConstraints that may sign', { root: { ca: undefined } }],
    ['RSA of 1024 bits', { leaf: { key: makeKey('rsa', 1024) } }],
    ['unknown extensions that are not critical', { leaf: { extensions: notCritical('1.2.3.4', der.nothing()) } }],
    ['certificate policies, critical', { leaf: { extensions: [extension('2.5.29.32', true, der.sequence())] } }],
    ['unknown extensions that are no DER', { leaf: { extensions: notCritical('1.2.3.4', Buffer.from('plain')) } }],
    ['an nsCertType for servers, critical', { leaf: { extensions: netscapeType(0, 1) } }],
    ['a leaf with cA false and a path length', { leaf: { ca: false, pathLength: 0 } }],
    ['decipherOnly, the ninth bit of key usage', { leaf: { keyUsage: [4, 8] } }],
    ['names in another case', { leaf: { issuerName: 'O=INTERMEDIATE' } }],
  ]
  for (const [what, options] of accepted) {
    test(`${what} is accepted`, () => assert.equal(refusal(...chainWith(options)), undefined))
  }

  test('a trust anchor without basicConstraints and key usage is refused, unless it is of version 1', () => {
    const odd = makeCertificate({ subject: 'O=Odd' })
    assert.match(refusal(issue(odd, { dnsNames: [host] }), odd) ?? 'accepted', /depth 1 is not a CA/)
  })

  test('a trust anchor of version 1 that another CA issued is refused', () => {
    const odd = makeCertificate({ subject: 'O=Odd', version: 1, issuer: createAuthority('Root') })
    assert.match(refusal(issue(odd, { dnsNames: [host] }), odd) ?? 'accepted', /depth 1 is not a CA/)
  })

  test('D38: self-issued certificates do not count for the path length', () => {
    const root = createAuthority('Root', { pathLength: 0 })
    const renewed = createAuthority('Root', { issuer: root })
    const again = createAuthority('Root', { issuer: renewed })
    assert.equal(refusal(issue(again, { dnsNames: [host] }), again, renewed, root), undefined)
    const other = createAuthority('Other', { issuer: renewed })
    assert.match(refusal(issue(other, { dnsNames: [host] }), other, renewed, root) ?? 'accepted', /depth 3 allows/)
  })

  test('a certificate that quotes another one in PEM is read as itself', () => {
    const root = createAuthority('Root')
    const honest = issue(root, { dnsNames: ['other.test'] })
    // OpenSSL, left to itself, would find the quoted certificate here, and its good signature
    const comment = extension('2.16.840.1.113730.1.13', false, der.ia5(`\n${honest.pem}`))
    const forged = issue(root, { dnsNames: [host], issuerKey: makeKey(), extensions: [comment] })
    assert.match(refusal(forged, root) ?? 'accepted', /was not issued by/)
    const genuine = issue(root, { dnsNames: [host], extensions: [comment] })
    assert.equal(refusal(genuine, root), undefined)
  })

  test('two signature algorithms in one certificate are refused', () => {
    const root = createAuthority('Root')
    const leaf = issue(root, { dnsNames: [host] })
    const ecdsa256 = Buffer.from('2a8648ce3d040302', 'hex')
    const mixed = Buffer.from(leaf.der)
    mixed.set(Buffer.from('2a8648ce3d040303', 'hex'), mixed.lastIndexOf(ecdsa256))
    assert.match(refusal({ ...leaf, der: mixed }, root) ?? 'accepted', /two signature algorithms/)
  })

  test('a curve that is described instead of named is refused', () => {
    const root = createAuthority('Root')
    const spki = der.sequence(
      der.sequence(der.oid('1.2.840.10045.2.1'), der.sequence(der.integer(1))),
      der.bits(Buffer.alloc(65, 4)),
    )
    const key = { ...makeKey(), spki }
    assert.match(refusal(issue(root, { dnsNames: [host], key }), root) ?? 'accepted', /a curve without a name/)
  })

  test('a key of an unknown kind is refused', () => {
    const root = createAuthority('Root')
    const spki = der.sequence(der.sequence(der.oid('1.2.3.4.5')), der.bits(Buffer.alloc(32, 1)))
    assert.match(
      refusal(issue(root, { dnsNames: [host], key: { ...makeKey(), spki } }), root) ?? 'accepted',
      /unknown kind/,
    )
  })
})

describe('D38: name constraints', () => {
  type Constraints = NonNullable<CertificateOptions['nameConstraints']>
  const under = (nameConstraints: Constraints, leaf: CertificateOptions) =>
    refusal(
      ...chainWith({
        root: { nameConstraints },
        intermediate: { subject: 'O=Example, CN=CA' },
        leaf: { subject: 'O=Example', ...leaf },
      }),
    )

  const refused: [string, Constraints, CertificateOptions][] = [
    ['a host outside of what is permitted', { permitted: { dns: ['other.test'] } }, {}],
    ['one of two hosts outside', { permitted: { dns: ['example.test'] } }, { dnsNames: [host, 'other.test'] }],
    ['a host within what is excluded', { excluded: { dns: ['example.test'] } }, {}],
    ['excluded wins over permitted', { permitted: { dns: ['test'] }, excluded: { dns: [host] } }, {}],
    ['half a label is not within', { permitted: { dns: ['ample.test'] } }, {}],
    ['with a leading dot, the domain itself is not within', { permitted: { dns: [`.${host}`] } }, {}],
    ['a common name that counts', { permitted: { dns: ['other.test'] } }, { dnsNames: [], subject: `CN=${host}` }],
    [
      'a wildcard that reaches what is excluded',
      { excluded: { dns: ['secret.example.test'] } },
      { dnsNames: [host, '*.example.test'] },
    ],
    ['a wildcard wider than what is permitted', { permitted: { dns: [host] } }, { dnsNames: [host, '*.example.test'] }],
    ['everything excluded', { excluded: { dns: [''] } }, {}],
    ['a subject outside', { permitted: { dn: ['O=Other'] } }, {}],
    ['a subject excluded, in another case', { excluded: { dn: ['O=  EXAMPLE '] } }, {}],
    [
      'an address where addresses are constrained',
      { permitted: { ip: ['c0000200ffffff00'] } },
      { ipAddresses: ['192.0.2.1'] },
    ],
    ['an address where all are excluded', { excluded: { ip: ['0000000000000000'] } }, { ipAddresses: ['192.0.2.1'] }],
    [
      'an e-mail address where they are constrained',
      { permitted: { email: ['example.test'] } },
      { emails: ['a@example.test'] },
    ],
    [
      'one in the subject',
      { excluded: { email: ['a@other.test'] } },
      { subject: 'O=Example, emailAddress=a@example.test' },
    ],
  ]
  for (const [what, constraints, leaf] of refused) {
    test(`refused: ${what}`, () =>
      assert.match(under(constraints, leaf) ?? 'accepted', /outside of what its CA at depth 2 may issue/))
  }

  const accepted: [string, Constraints, CertificateOptions][] = [
    ['a host within', { permitted: { dns: ['example.test'] } }, {}],
    ['a host within, in another case', { permitted: { dns: ['EXAMPLE.test'] } }, {}],
    ['a host within, with a leading dot', { permitted: { dns: ['.example.test'] } }, {}],
    ['the domain itself', { permitted: { dns: [host] } }, {}],
    ['one of several subtrees', { permitted: { dns: ['other.test', 'example.test'] } }, {}],
    ['everything', { permitted: { dns: [''] } }, {}],
    ['a host beside what is excluded', { excluded: { dns: ['a.example.test', 'x.example.test'] } }, {}],
    ['a wildcard within', { permitted: { dns: ['example.test'] } }, { dnsNames: ['*.example.test'] }],
    ['a wildcard beside what is excluded', { excluded: { dns: ['other.test'] } }, { dnsNames: ['*.example.test'] }],
    ['a subject within', { permitted: { dn: ['O=EXAMPLE'] } }, {}],
    ['a subject beside what is excluded', { excluded: { dn: ['O=Example, OU=Sales'] } }, {}],
    [
      'kinds of names that are not there',
      { permitted: { ip: ['c0000200ffffff00'], email: ['a.test'], uri: ['a.test'] } },
      {},
    ],
    [
      'a common name that does not count',
      { permitted: { dns: ['example.test'] } },
      { subject: 'O=Example, CN=other.test' },
    ],
    [
      'a common name that is no host',
      { permitted: { dns: ['example.test'] } },
      { subject: 'O=Example, CN=The Mail Server' },
    ],
  ]
  for (const [what, constraints, leaf] of accepted) {
    test(`accepted: ${what}`, () => assert.equal(under(constraints, leaf), undefined))
  }

  test('constraints of an intermediate count as well, and those on its own name not', () => {
    const intermediate = { subject: 'O=CA', nameConstraints: { permitted: { dn: ['O=Example'] } } }
    assert.equal(refusal(...chainWith({ intermediate, leaf: { subject: 'O=Example' } })), undefined)
    assert.match(
      refusal(...chainWith({ intermediate, leaf: { subject: 'O=Other' } })) ?? 'accepted',
      /depth 1 may issue/,
    )
  })

  test('intermediates are held to them, self-issued ones are not', () => {
    const root = createAuthority('Root', { nameConstraints: { permitted: { dn: ['O=Example'] } } })
    const renewed = createAuthority('Root', { issuer: root })
    const below = issue(renewed, { subject: 'O=Example', dnsNames: [host] })
    assert.equal(refusal(below, renewed, root), undefined)
    const other = createAuthority('Other', { issuer: root })
    assert.match(
      refusal(issue(other, { subject: 'O=Example', dnsNames: [host] }), other, root) ?? 'accepted',
      /depth 2 may/,
    )
  })
})
