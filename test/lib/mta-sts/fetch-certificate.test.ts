import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { issue, selfSigned, type Certificate } from '../../support/certificates.ts'
import {
  assertFailure,
  certificateFor,
  DOMAIN,
  fetcher,
  fetchFrom,
  HOST,
  POLICY,
  policyHost,
  TEXT,
} from './policy-host.ts'

const DAY = 86_400_000

describe('the certificate of the policy host', () => {
  const good: [why: string, certificate: Certificate][] = [
    ['with its name', certificateFor()],
    ['with a wildcard for the whole left-most label', certificateFor({ dnsNames: ['*.example.test'] })],
  ]
  for (const [why, certificate] of good) {
    test(`T13: is accepted ${why}`, async (t) => {
      const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end(POLICY), certificate)
      const fetched = await fetchFrom(host)
      assert.ok(fetched.ok, JSON.stringify(fetched))
    })
  }

  const past = { notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - DAY) }
  const bad: [why: string, certificate: Certificate, text: RegExp][] = [
    [
      'for another name',
      certificateFor({ dnsNames: ['example.test', 'www.example.test'] }),
      /not for mta-sts.example.test/,
    ],
    ['with its name as CN only', certificateFor({ commonName: HOST }), /not for/],
    [
      'with its name as CN beside another DNS-ID',
      certificateFor({ commonName: HOST, dnsNames: ['a.test'] }),
      /not for/,
    ],
    ['with a partial wildcard', certificateFor({ dnsNames: ['mta-*.example.test'] }), /not for/],
    ['with a wildcard two labels up', certificateFor({ dnsNames: ['*.test'] }), /not for/],
    ['that expired', certificateFor({ dnsNames: [HOST], ...past }), /CERT_HAS_EXPIRED/],
    [
      'that is not valid yet',
      certificateFor({ dnsNames: [HOST], notBefore: new Date(Date.now() + DAY) }),
      /NOT_YET_VALID/,
    ],
    ['that is self-signed', selfSigned({ dnsNames: [HOST] }), /SELF_SIGNED|UNABLE/],
    ['of an authority that nobody knows', issue(selfSigned({ ca: true }), { dnsNames: [HOST] }), /UNABLE|SELF_SIGNED/],
    [
      'with a critical extension that nobody knows',
      certificateFor({ dnsNames: [HOST], criticalUnknown: true }),
      /refused: unhandled critical extension$/,
    ],
    ['for mail only', certificateFor({ dnsNames: [HOST], eku: ['clientAuth'] }), /PURPOSE/],
  ]
  for (const [why, certificate, text] of bad) {
    test(`T13: is refused ${why}, and nothing is asked`, async (t) => {
      const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end(POLICY), certificate)
      assertFailure(await fetchFrom(host), 'sts-webpki-invalid', text)
      assert.deepEqual(host.requests, [])
    })
  }

  test('T13: without ca-file only the built-in roots are trusted', async (t) => {
    const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end(POLICY))
    assertFailure(await fetchFrom(host, { extraRoots: [] }), 'sts-webpki-invalid', /SELF_SIGNED|UNABLE/)
  })
  test('R11: a host with TLS 1.1 at most is a failure to fetch (RFC 8460 4.3.2.2)', async (t) => {
    const { keyPem: key, pem: cert } = certificateFor()
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const server = createTlsServer({ key, cert, ...old }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const fetched = await fetcher((server.address() as { port: number }).port)(DOMAIN)
    assertFailure(fetched, 'sts-policy-fetch-error', /handshake failed.*(?:VERSION|PROTOCOL)/)
  })

  test('R11: a host that speaks no TLS is a failure to fetch, not one of its certificate', async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const fetched = await fetcher((server.address() as { port: number }).port)(DOMAIN)
    assertFailure(fetched, 'sts-policy-fetch-error', /handshake failed/)
  })
})
