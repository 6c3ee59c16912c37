import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthority, issue, makeCertificate, tlsaOf } from '../../support/certificates.ts'
import { host, intermediate, leaf, outcome, past, root, said, stranger, verify } from './chain.ts'

const chain = [leaf, intermediate, root]
const records = [tlsaOf(root, 2, 0, 1)]

describe('DANE-TA: names', () => {
  test('D41: the certificate must be for one of the names, and the refusal says for which it is', () => {
    const result = verify(chain, records, ['example.test', 'third.test'])
    assert.equal(outcome(result), 'certificate-host-mismatch')
    assert.match(
      said(result),
      /^its certificate is for mx\.example\.test, not for example\.test or third\.test \(2 0 1 /,
    )
  })

  test('D41: without a name to prove nothing is accepted', () => {
    assert.equal(outcome(verify(chain, records, [])), 'certificate-host-mismatch')
  })

  test('names of strangers are shown cleaned and cut', () => {
    const names = ['a\n[crit] b', '<script>', ...Array.from({ length: 9 }, (_, index) => `n${index}.test`)]
    const result = verify([issue(root, { dnsNames: names }), root], records)
    assert.match(said(result), /^its certificate is for n0\.test, n1\.test, n2\.test, n3\.test and 7 more, not for mx/)
    assert.match(
      said(verify([issue(root, { dnsNames: ['\0'] }), root], records)),
      /^its certificate is for no host name/,
    )
  })

  test('D43: the common name counts only where there is no DNS-ID', () => {
    const subject = `CN=${host}`
    const beside = issue(root, { subject, dnsNames: ['other.test'] })
    assert.equal(outcome(verify([beside, root], records)), 'certificate-host-mismatch')
    assert.equal(outcome(verify([issue(root, { subject }), root], records)), 1)
    assert.equal(outcome(verify([issue(root, { subject, emails: ['a@example.test'] }), root], records)), 1)
  })

  test('D41, D42: any of the names will do, and the result says which', () => {
    const result = verify(chain, records, ['example.test', 'MX.example.test', 'third.test'])
    assert.deepEqual(result, { status: 'matched', record: records[0], depth: 2, name: 'MX.example.test' })
  })
})

describe('DANE-TA: dates', () => {
  test('the dates of the trust anchor count, too, presented or in DNS', () => {
    const selfIssued = createAuthority('Old', past)
    const issued = createAuthority('Old', { issuer: root, key: selfIssued.key, ...past })
    const below = issue(selfIssued, { dnsNames: [host] })
    for (const anchor of [selfIssued, issued]) {
      assert.equal(outcome(verify([below, anchor], [tlsaOf(anchor, 2, 1, 1)])), 'certificate-expired')
      assert.equal(outcome(verify([below], [tlsaOf(anchor, 2, 0, 0)])), 'certificate-expired')
    }
  })

  test('a certificate counts from its first second to the end of its last', () => {
    const ca = createAuthority('CA', { notBefore: past.notBefore, notAfter: new Date('2060-01-01T00:00:00Z') })
    const notBefore = new Date('2030-01-01T00:00:00Z')
    const notAfter = new Date('2030-01-31T23:59:59Z')
    const below = issue(ca, { dnsNames: [host], notBefore, notAfter })
    const at = (when: string) => verify([below, ca], [tlsaOf(ca, 2, 0, 1)], [host], new Date(when))
    assert.match(said(at('2029-12-31T23:59:59.999Z')), /^its certificate is not valid before 2030-01-01T00:00:00/)
    assert.match(said(at('2030-02-01T00:00:00Z')), /^its certificate expired on 2030-01-31T23:59:59/)
    assert.equal(outcome(at('2030-02-01T00:00:00Z')), 'certificate-expired')
    assert.equal(outcome(at('2030-01-01T00:00:00Z')), 1)
    assert.equal(outcome(at('2030-01-31T23:59:59.999Z')), 1)
  })

  test('what is above the trust anchor does not count', () => {
    const expired = createAuthority('Root', { key: root.key, ...past })
    assert.equal(outcome(verify([leaf, intermediate, expired], [tlsaOf(intermediate, 2, 0, 1)])), 1)
  })
})

describe('DANE-TA: what is told', () => {
  test('"*" stands for one label: said where that is what is wrong', () => {
    const wildcard = issue(root, { dnsNames: ['*.example.test'] })
    const text = said(verify([wildcard, root], records, ['a.b.example.test']))
    assert.match(
      text,
      /^its certificate is for \*\.example\.test, not for a\.b\.example\.test; "\*" stands for one label \(/,
    )
    assert.doesNotMatch(said(verify([wildcard, root], records, ['b.other.test'])), /one label/)
  })

  test('one detail, in the order not-trusted, expired, host-mismatch', () => {
    const other = { dnsNames: ['other.test'] }
    const all = issue(root, { ...other, eku: ['clientAuth'], ...past })
    assert.equal(outcome(verify([all, root], records)), 'certificate-not-trusted')
    assert.equal(outcome(verify([issue(root, { ...other, ...past }), root], records)), 'certificate-expired')
    assert.equal(outcome(verify([issue(root, other), root], records)), 'certificate-host-mismatch')
  })

  test('of several paths the one that came furthest', () => {
    const expired = createAuthority('Root', { key: root.key, ...past })
    const forClients = createAuthority('Root', { key: root.key, eku: ['clientAuth'] })
    const below = issue(root, { dnsNames: ['other.test'] })
    const byKey = [tlsaOf(root, 2, 1, 1)]
    assert.equal(outcome(verify([below, forClients], byKey)), 'certificate-not-trusted')
    assert.equal(outcome(verify([below, forClients, expired], byKey)), 'certificate-expired')
    assert.equal(outcome(verify([below, root, expired, forClients], byKey)), 'certificate-host-mismatch')
  })

  test('a certificate that cannot be used', () => {
    const odd = issue(root, { dnsNames: [host], criticalUnknown: true })
    const result = verify([odd, root], records)
    assert.equal(outcome(result), 'certificate-not-trusted')
    assert.match(said(result), /^its certificate cannot be used, a critical extension is unknown/)
    assert.equal(outcome(verify([odd, root], [tlsaOf(stranger, 2, 0, 1)])), 'dane-no-match')
    assert.equal(outcome(verify([makeCertificate(), root], [tlsaOf(stranger, 2, 0, 1)])), 'dane-no-match')
  })

  test('K5: one record that matches is enough, DANE-EE first', () => {
    const several = [tlsaOf(stranger, 3, 1, 1), tlsaOf(stranger, 2, 0, 0), ...records]
    assert.equal(outcome(verify(chain, several)), 2)
    assert.equal(outcome(verify(chain, [...several, tlsaOf(leaf, 3, 1, 1)])), 0)
  })
})
