import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verifyDane } from '../../../dist/lib/dane/index.js'
import { createAuthority, issue, tlsaOf } from '../../support/certificates.ts'

describe('a certificate', () => {
  test('K1: is read whatever its length is', () => {
    const authority = createAuthority('CN=Authority')
    const record = tlsaOf(authority, 2, 1, 1)
    for (let letters = 1; letters <= 48; letters++) {
      const name = `${'x'.repeat(letters)}.example.test`
      const leaf = issue(authority, { dnsNames: [name] })
      const result = verifyDane([leaf.der, authority.der], [record], [name], new Date())
      assert.equal(result.status, 'matched', `${leaf.der.length} octets`)
    }
  })
})
