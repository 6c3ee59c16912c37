/**
 * Random servers: chains of certificates, right ones and wrong ones, and the TLSA records beside them.
 *
 * A case is a recipe in plain data first, so that a disagreement can be printed, and made again from its seed.
 *
 * @module
 */

import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { namedBits, sequence, taggedValue } from '../../support/der.ts'
import {
  extension,
  makeCertificate,
  makeKey,
  tlsaOf,
  type Certificate,
  type CertificateKey,
  type Subtrees,
} from '../../support/certificates.ts'

/** One certificate of a recipe. Names and keys are numbers: what has the same one has the same one. */
export interface CertificateRecipe {
  readonly name: number
  readonly key: number
  /** `name` and `key` of the issuer */
  readonly issuer: readonly [number, number]
  readonly flaw: Flaw
}

const flaws = [
  'none',
  'expired',
  'not yet valid',
  'not a CA',
  'no basicConstraints',
  'path length 0',
  'path length 1',
  'no keyCertSign',
  'no keyUsage',
  'for clients',
  'for servers',
  'for anything',
  'critical unknown',
  'permitted example.test',
  'permitted other.test',
  'excluded example.test',
  'excluded other.test',
  'excluded a.example.test',
  'permitted O=Example',
  'excluded O=Example',
  'permitted address',
  'excluded address',
  'policy constraints',
  'nsCertType for clients',
  'nsCertType for servers',
  'not a CA, path length 0',
  'version 1',
  'SHA-1',
  'forged',
  'wrong authority key id',
  'no key ids',
] as const
export type Flaw = (typeof flaws)[number]

export interface Recipe {
  /** the server's own comes first */
  readonly leaf: CertificateRecipe & { readonly names: LeafNames }
  readonly authorities: readonly CertificateRecipe[]
  /** indexes into `authorities`, in the order in which they are presented */
  readonly presented: readonly number[]
  readonly records: readonly RecordRecipe[]
  readonly reference: string
}

/** `of`: -1 the leaf, otherwise an index into `authorities` */
export interface RecordRecipe {
  readonly of: number
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  /** the data of another certificate than all of them */
  readonly stale: boolean
}

const leafNames = {
  exact: { dnsNames: ['mx.example.test'] },
  second: { dnsNames: ['other.test', 'mx.example.test'] },
  wildcard: { dnsNames: ['*.example.test'] },
  'half a wildcard': { dnsNames: ['m*.example.test'] },
  other: { dnsNames: ['mx.other.test'] },
  'common name': { subject: 'O=Example, CN=mx.example.test' },
  'common name beside': { subject: 'O=Example, CN=mx.example.test', dnsNames: ['mx.other.test'] },
  'in capitals': { dnsNames: ['MX.EXAMPLE.TEST'] },
  none: { subject: 'O=Example' },
  NUL: { dnsNames: ['mx.example.test\0.other.test'] },
  'with address': { dnsNames: ['mx.example.test'], ipAddresses: ['192.0.2.1'] },
} as const
export type LeafNames = keyof typeof leafNames

// The recipe

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const anyFlaw = fc.oneof({ weight: 9, arbitrary: fc.constant<Flaw>('none') }, { weight: 2, arbitrary: oneOf(...flaws) })

/** A straight chain: authority 0 is the root, the others follow down to the one that issues the leaf. */
const straight = fc.array(anyFlaw, { minLength: 1, maxLength: 4 }).map((list): CertificateRecipe[] =>
  list.map((flaw, index) => ({
    name: index,
    key: index,
    issuer: [Math.max(0, index - 1), Math.max(0, index - 1)],
    flaw,
  })),
)

const small = fc.nat({ max: 4 })

/** What else may lie about: cross-signed, renewed and foreign certificates. */
const extra: fc.Arbitrary<CertificateRecipe> = fc.oneof(
  fc.record({ name: small, key: small, issuer: fc.tuple(small, small), flaw: anyFlaw }),
  fc.tuple(small, small, anyFlaw).map(([subject, issuer, flaw]): CertificateRecipe => ({
    name: subject,
    key: subject,
    issuer: [issuer, issuer],
    flaw,
  })),
)

const aRecord: fc.Arbitrary<RecordRecipe> = fc.record({
  of: fc.integer({ min: -1, max: 6 }),
  usage: fc.oneof({ weight: 8, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.constant(3) }),
  selector: oneOf(0, 1),
  matchingType: oneOf(0, 1, 1, 2),
  stale: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

export const recipes: fc.Arbitrary<Recipe> = straight.chain((chain) =>
  fc.array(extra, { maxLength: 3 }).chain((extras) => {
    const authorities = [...chain, ...extras]
    const indexes = authorities.map((_, index) => index)
    const issuer = chain.length - 1
    return fc.record({
      leaf: fc.record({
        name: oneOf(9, 9, 9, 9, 9, issuer),
        key: oneOf(9, 9, 9, 9, 9, issuer),
        issuer: fc.constant<[number, number]>([issuer, issuer]),
        flaw: anyFlaw,
        names: fc.oneof(
          { weight: 3, arbitrary: fc.constant<LeafNames>('exact') },
          { weight: 2, arbitrary: oneOf(...(Object.keys(leafNames) as LeafNames[])) },
        ),
      }),
      authorities: fc.constant(authorities),
      presented: fc.oneof(
        { weight: 2, arbitrary: fc.constant(indexes.toReversed()) },
        { weight: 1, arbitrary: fc.shuffledSubarray(indexes) },
        { weight: 1, arbitrary: fc.shuffledSubarray(indexes, { minLength: indexes.length }) },
      ),
      records: fc.array(aRecord, { minLength: 1, maxLength: 3 }),
      reference: oneOf('mx.example.test', 'mx.example.test', 'mx.example.test', 'mx.other.test'),
    })
  }),
)

// The case

export interface Case {
  readonly recipe: Recipe
  readonly leaf: Certificate
  readonly authorities: readonly Certificate[]
  /** without the leaf */
  readonly presented: readonly Certificate[]
  readonly records: readonly ReturnType<typeof tlsaOf>[]
  readonly reference: string
}

const keys = new Map<number, CertificateKey>()
const keyOf = (number: number): CertificateKey => {
  const key = keys.get(number) ?? (number === 4 ? makeKey('rsa') : makeKey())
  keys.set(number, key)
  return key
}
const stranger = makeCertificate({ subject: 'O=Stranger', ca: true })

export function cook(recipe: Recipe): Case {
  const authorities = recipe.authorities.map((one) => makeAuthority(one))
  const { leaf: leafRecipe } = recipe
  const { subject = nameOf(leafRecipe.name), ...names } = { subject: undefined, ...leafNames[leafRecipe.names] }
  const leaf = certificateOf(leafRecipe, { ca: undefined, keyUsage: [0], subject, ...names })
  const records = recipe.records.map(({ of, usage, selector, matchingType, stale }) => {
    const target = of === -1 ? leaf : (authorities[of % authorities.length] ?? stranger)
    return tlsaOf(stale ? stranger : target, usage, selector, matchingType)
  })
  const presented = recipe.presented.flatMap((index) => authorities[index] ?? [])
  return { recipe, leaf, authorities, presented, records, reference: recipe.reference }
}

const nameOf = (number: number): string => `O=Example, CN=Name ${number}`

function makeAuthority(recipe: CertificateRecipe): Certificate {
  return certificateOf(recipe, { subject: nameOf(recipe.name), ca: true, keyUsage: [5, 6] })
}

interface Basics {
  readonly subject: string
  readonly ca: boolean | undefined
  readonly keyUsage: readonly number[]
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

function certificateOf({ key, issuer: [issuerName, issuerKey], flaw }: CertificateRecipe, basics: Basics): Certificate {
  const { ca, ...rest } = basics
  const subjectKeyId = keyIdOf(key)
  return makeCertificate({
    ...rest,
    ...(ca === undefined ? {} : { ca }),
    key: keyOf(key),
    issuerKey: keyOf(flaw === 'forged' ? issuerKey + 20 : issuerKey),
    issuerName: nameOf(issuerName),
    subjectKeyId: flaw === 'no key ids' ? false : subjectKeyId,
    authorityKeyId: flaw === 'no key ids' ? false : keyIdOf(issuerKey),
    ...flawOptions(flaw),
  })
}

function keyIdOf(key: number): Buffer {
  return createHash('sha1').update(keyOf(key).spki).digest()
}

const day = 86_400_000
const netscapeType = (bit: number) => extension('2.16.840.1.113730.1.1', true, namedBits([bit]))
const constraint = (permitted: Subtrees) => ({ nameConstraints: { permitted } })
const exclusion = (excluded: Subtrees) => ({ nameConstraints: { excluded } })

function flawOptions(flaw: Flaw): object {
  const options: Readonly<Record<Flaw, object>> = {
    none: {},
    expired: { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() - day) },
    'not yet valid': { notBefore: new Date(Date.now() + day) },
    'not a CA': { ca: false },
    'no basicConstraints': { ca: undefined },
    'path length 0': { ca: true, pathLength: 0 },
    'path length 1': { ca: true, pathLength: 1 },
    'no keyCertSign': { keyUsage: [6] },
    'no keyUsage': { keyUsage: undefined },
    'for clients': { eku: ['clientAuth'] },
    'for servers': { eku: ['clientAuth', 'serverAuth'] },
    'for anything': { eku: ['any'] },
    'critical unknown': { criticalUnknown: true },
    'permitted example.test': constraint({ dns: ['example.test'] }),
    'permitted other.test': constraint({ dns: ['.other.test'] }),
    'excluded example.test': exclusion({ dns: ['example.test'] }),
    'excluded other.test': exclusion({ dns: ['other.test', 'more.test'] }),
    'excluded a.example.test': exclusion({ dns: ['a.example.test'] }),
    'permitted O=Example': constraint({ dn: ['O=EXAMPLE'] }),
    'excluded O=Example': exclusion({ dn: ['O=  example'] }),
    'permitted address': constraint({ ip: ['c0000200ffffff00'] }), // 192.0.2.0/24
    'excluded address': exclusion({ ip: ['0000000000000000'] }), // 0.0.0.0/0
    'policy constraints': { extensions: [extension('2.5.29.36', true, sequence(taggedValue(0, Buffer.from([0]))))] },
    'nsCertType for clients': { extensions: [netscapeType(0)] },
    'nsCertType for servers': { extensions: [netscapeType(1)] },
    'not a CA, path length 0': { ca: false, pathLength: 0 },
    'version 1': { version: 1 },
    'SHA-1': { hash: 'sha1' },
    forged: {},
    'wrong authority key id': { authorityKeyId: Buffer.alloc(20, 1) },
    'no key ids': {},
  }
  return options[flaw]
}
