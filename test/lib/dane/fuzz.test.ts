import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presentedDigest, verifyDane } from '../../../dist/lib/dane/index.js'
import { issue, tlsaOf } from '../../support/certificates.ts'
import { host, intermediate, leaf, outcome, root } from './chain.ts'
import { runs } from '../../support/runs.ts'

const numRuns = runs(1000, 10_000)

const constrained = issue(root, {
  dnsNames: [host, '*.example.test'],
  emails: ['a@example.test'],
  ipAddresses: ['192.0.2.1'],
  ca: true,
  pathLength: 3,
  keyUsage: [0, 5],
  nameConstraints: { permitted: { dns: ['test'], dn: ['O=A'] }, excluded: { ip: ['0000000000000000'] } },
})

/** Some octets of a certificate are others: a length, a tag, a value. */
const damage = (der: Buffer) =>
  fc
    .array(fc.tuple(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 })
    .map((changes) => {
      const damaged = Buffer.from(der)
      for (const [offset, value] of changes) damaged[offset] = value
      return damaged
    })

const anyCertificate = fc.oneof(
  damage(leaf.der),
  damage(constrained.der),
  damage(root.der),
  fc.uint8Array({ maxLength: 200 }),
)
const anyRecord = fc.record({
  usage: fc.constantFrom(2, 3),
  selector: fc.constantFrom(0, 1),
  matchingType: fc.constantFrom(0, 1, 2),
  data: fc.oneof(fc.constantFrom(root.der, root.key.spki), fc.uint8Array({ maxLength: 64 }), damage(root.der)),
})

test('whatever is presented and published, verification returns', () => {
  fc.assert(
    fc.property(fc.array(anyCertificate, { maxLength: 4 }), fc.array(anyRecord, { maxLength: 4 }), (chain, records) => {
      const presented = [...chain, constrained.der, root.der]
      const result = verifyDane(presented, [...records, tlsaOf(root, 2, 0, 1)], [host], new Date())
      assert.ok(['matched', 'refused'].includes(result.status))
      assert.match(presentedDigest(presented[0] ?? root.der), /^3 [01] 1 [0-9a-f]{8}…$/)
    }),
    { numRuns },
  )
})

test('DANE-TA: a damaged certificate of the server is never accepted', () => {
  fc.assert(
    fc.property(damage(leaf.der), (damaged) => {
      fc.pre(!damaged.equals(leaf.der))
      const chain = [damaged, intermediate.der, root.der]
      assert.notEqual(verifyDane(chain, [tlsaOf(root, 2, 0, 1)], [host], new Date()).status, 'matched')
    }),
    { numRuns },
  )
})

test('DANE-TA: a damaged intermediate is never a link', () => {
  fc.assert(
    fc.property(damage(intermediate.der), (damaged) => {
      fc.pre(!damaged.equals(intermediate.der))
      const chain = [leaf.der, damaged, root.der]
      assert.equal(outcome(verifyDane(chain, [tlsaOf(root, 2, 0, 1)], [host], new Date())), 'certificate-not-trusted')
    }),
    { numRuns },
  )
})
