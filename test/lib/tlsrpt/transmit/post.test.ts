import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createHttpsClient, type HttpsOptions } from '../../../../dist/lib/https/index.js'
import type { OutgoingReport, Transmission } from '../../../../dist/lib/tlsrpt/sending/index.js'
import { postReport, readRetryAfter } from '../../../../dist/lib/tlsrpt/transmit/index.js'
import { chainPem } from '../../../support/certificates.ts'
import { authority, certificateFor, lookupIn } from '../../mta-sts/policy-host.ts'

const HOST = 'reports.example.net'
const report: OutgoingReport = {
  domain: 'example.net',
  period: { start: 0, end: 3_600_000 },
  reportId: '19700101T00Z.x@example.org',
  frozen: gzipSync('{"policies":[]}'),
}

interface Receiver {
  readonly port: number
  readonly requests: { readonly head: string; readonly type: string | undefined; readonly body: Buffer }[]
}

/** An endpoint on loopback. */
async function receiver(
  t: TestContext,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  dnsNames: readonly string[] = [HOST],
): Promise<Receiver> {
  const certificate = certificateFor({ dnsNames })
  const requests: Receiver['requests'] = []
  const server = createServer({ key: certificate.keyPem, cert: chainPem(certificate, authority) })
  server.on('request', (request, response) => {
    void buffer(request).then(
      (body) => {
        const { method = '', url = '', headers } = request
        requests.push({ head: `${method} ${url} ${headers.host ?? ''}`, type: headers['content-type'], body })
        answer(response, request)
      },
      () => undefined,
    )
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests }
}

function post(
  { port }: Pick<Receiver, 'port'>,
  {
    path = '/v1/tlsrpt?from=us',
    sent = report,
    ...changes
  }: Partial<HttpsOptions> & {
    readonly path?: string
    readonly sent?: OutgoingReport
  } = {},
): Promise<Transmission> {
  const client = createHttpsClient({
    extraRoots: [authority.pem],
    timeout: 2000,
    allowPrivateAddresses: true,
    lookup: lookupIn({ [`A ${HOST}`]: ['127.0.0.1'] }),
    ...changes,
  })
  return postReport(client, sent, `https://${HOST}:${port}${path}`)
}

function assertFailed(transmission: Transmission, note: RegExp, isFinal = false): void {
  assert.equal(transmission.status, 'failed')
  assert.match(transmission.note, note)
  assert.deepEqual(transmission, { status: 'failed', isFinal, note: transmission.note })
}

describe('a report that its endpoint does not take', () => {
  for (const status of [300, 302, 307, 400, 401, 404, 429, 500, 503]) {
    test(`R23: HTTP status ${status} is a failure that is tried again, and no redirect is followed`, async (t) => {
      const host = await receiver(t, (response) =>
        response.writeHead(status, { location: `https://${HOST}/elsewhere` }).end('for people'),
      )
      assertFailed(
        await post(host),
        new RegExp(`reports\\.example\\.net\\[127\\.0\\.0\\.1\\]:\\d+: HTTP status ${status}$`),
      )
      assert.equal(host.requests.length, 1)
    })
  }

  for (const status of [429, 503])
    test(`RFC 9110 10.2.3: Retry-After of HTTP status ${status} is handed on`, async (t) => {
      const host = await receiver(t, (response) => response.writeHead(status, { 'retry-after': '7200' }).end())
      const transmission = await post(host)
      assert.ok(transmission.status === 'failed')
      assert.deepEqual([transmission.isFinal, transmission.retryAfter], [false, 7_200_000])
      assert.match(transmission.note, /HTTP status \d+, to be tried again after 7200 s$/)
    })

  test('Retry-After of another status is not heeded', async (t) => {
    const host = await receiver(t, (response) => response.writeHead(500, { 'retry-after': '7200' }).end())
    assertFailed(await post(host), /HTTP status 500$/)
  })

  test('Retry-After is a number of seconds or a time, and anything else is none', () => {
    const now = Date.UTC(2026, 11, 1, 12)
    const read = (value?: string) => readRetryAfter(value, now)
    assert.deepEqual([read('0'), read('90'), read('Tue, 01 Dec 2026 12:01:00 GMT')], [0, 90_000, 60_000])
    assert.equal(read('Tue, 01 Dec 2026 11:00:00 GMT'), 0)
    for (const value of [undefined, '', '-1', '1.5', 'soon', '1e9', '2026-12-02', '9'.repeat(20), 'x GMT'])
      assert.equal(read(value), undefined, value)
  })

  for (const status of [410, 413]) {
    test(`R24: after HTTP status ${status} it is not tried again`, async (t) => {
      const host = await receiver(t, (response) => response.writeHead(status).end())
      assertFailed(await post(host), new RegExp(`HTTP status ${status}`), true)
    })
  }

  test('nothing goes to a host with another certificate, nor to one that nobody vouches for', async (t) => {
    const named = await receiver(t, (response) => response.end(), ['other.example.net'])
    assertFailed(await post(named), /certificate refused: it is not for reports\.example\.net/)
    const trusted = await receiver(t, (response) => response.end())
    assertFailed(await post(trusted, { extraRoots: [] }), /certificate refused/)
    assert.deepEqual([...named.requests, ...trusted.requests], [])
  })

  test('nothing goes to a private address, unless allowed', async (t) => {
    const host = await receiver(t, (response) => response.end())
    assertFailed(await post(host, { allowPrivateAddresses: false }), /has no public address: 127\.0\.0\.1/)
    assert.deepEqual(host.requests, [])
  })

  test('a host that cannot be found or reached, and one that hangs up', async (t) => {
    assertFailed(await post({ port: 1 }, { lookup: lookupIn({}) }), /has no address/)
    assertFailed(await post({ port: 1 }), /ECONNREFUSED/)
    const host = await receiver(t, (response) => response.socket?.destroy())
    assertFailed(await post(host), /ECONNRESET|socket hang up/)
  })

  test('one that answers with another protocol is not waited for', async (t) => {
    const host = await receiver(
      t,
      ({ socket }) =>
        void socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: smtp\r\n\r\n'),
    )
    assertFailed(await post(host), /HTTP status 101/)
  })

  test('one that takes it and says nothing keeps us no longer than the time limit', async (t) => {
    const host = await receiver(t, () => undefined)
    assertFailed(await post(host, { timeout: 500 }), /not done within 0\.5 s/)
    const slow = await receiver(t, (response) => void setInterval(() => response.writeProcessing(), 50).unref())
    assertFailed(await post(slow, { timeout: 500 }), /not done within 0\.5 s/)
  })

  test('one that does not read is waited for no longer, however large the report is', async (t) => {
    const server = createServer(tlsFor(), (request) => request.pause()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const sent = { ...report, frozen: new Uint8Array(20_000_000) }
    assertFailed(
      await post({ port: (server.address() as AddressInfo).port }, { sent, timeout: 1000 }),
      /not done within 1 s/,
    )
  })
})

function tlsFor(): { key: string; cert: string } {
  const certificate = certificateFor({ dnsNames: [HOST] })
  return { key: certificate.keyPem, cert: chainPem(certificate, authority) }
}

describe('a report that its endpoint takes', () => {
  for (const status of [200, 201, 202, 204]) {
    test(`R23: HTTP status ${status} is success`, async (t) => {
      const host = await receiver(t, (response) => response.writeHead(status).end())
      const { status: result, note } = await post(host)
      assert.equal(result, 'accepted')
      assert.match(note, new RegExp(`^reports\\.example\\.net\\[127\\.0\\.0\\.1\\]:\\d+: HTTP status ${status}$`))
    })
  }

  test('R23: is the body of a POST to the path of the URL, gzip by its type', async (t) => {
    const host = await receiver(t, (response) => response.end())
    await post(host)
    const [request] = host.requests
    assert.equal(request?.head, `POST /v1/tlsrpt?from=us ${HOST}:${host.port}`)
    assert.equal(request.type, 'application/tlsrpt+gzip')
    assert.equal(gunzipSync(request.body).toString(), '{"policies":[]}')
  })

  test('may be large', async (t) => {
    const host = await receiver(t, (response) => response.end())
    const sent = { ...report, frozen: new Uint8Array(20_000_000).fill(7) }
    assert.equal((await post(host, { sent, timeout: 20_000 })).status, 'accepted')
    assert.equal(host.requests[0]?.body.length, 20_000_000)
  })

  test('an answer that never ends does no harm: only its status is read', async (t) => {
    const host = await receiver(t, (response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1)
      response.on('close', () => clearInterval(timer))
    })
    assert.equal((await post(host)).status, 'accepted')
  })
})

test('an address that is no https URL is not asked', async () => {
  const ask = () => Promise.reject(new Error('asked'))
  assertFailed(await postReport(ask, report, 'http://example.net/'), /not an https URL/, true)
  assertFailed(await postReport(ask, report, 'nonsense'), /not an https URL/, true)
})
