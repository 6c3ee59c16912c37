import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { describe, test } from 'node:test'
import { chainPem, createAuthority, issue, makeKey, selfSigned } from './certificates.ts'

describe('the certificate authority for tests', () => {
  test('issues what a TLS client trusts through an intermediate', async () => {
    const root = createAuthority('Root')
    const intermediate = createAuthority('Intermediate', { issuer: root, pathLength: 0 })
    const leaf = issue(intermediate, { dnsNames: ['mx.example.test'], keyUsage: [0] })
    const server = tls.createServer({ key: leaf.keyPem, cert: chainPem(leaf, intermediate) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo

    const client = tls.connect({ port, host: '127.0.0.1', servername: 'mx.example.test', ca: root.pem })
    await once(client, 'secureConnect')
    assert.equal(client.authorized, true)
    client.destroy()
    server.close()
  })

  for (const type of ['ec', 'rsa', 'ed25519'] as const) {
    test(`signs with ${type} keys`, () => {
      const certificate = new X509Certificate(selfSigned({ key: makeKey(type), commonName: 'a.example.test' }).der)
      assert.equal(certificate.subject, 'CN=a.example.test')
      assert.ok(certificate.verify(certificate.publicKey))
    })
  }

  test('writes dates of this century and the next', () => {
    const options = { notBefore: new Date('1970-01-02T03:04:05Z'), notAfter: new Date('2101-12-31T23:59:59Z') }
    const certificate = new X509Certificate(selfSigned(options).der)
    assert.deepEqual(certificate.validFromDate, options.notBefore)
    assert.deepEqual(certificate.validToDate, options.notAfter)
  })

  test('has serials, CA flags and versions as told', () => {
    assert.equal(new X509Certificate(selfSigned({ serial: 0xff00n }).der).serialNumber, 'FF00')
    assert.equal(new X509Certificate(selfSigned({ ca: false }).der).ca, false)
    assert.equal(new X509Certificate(createAuthority('A').der).ca, true)
    assert.equal(new X509Certificate(createAuthority('A', { version: 1 }).der).ca, false)
  })
})
