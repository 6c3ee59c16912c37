import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import {
  assertFailure,
  DOMAIN,
  fetcher,
  fetchFrom,
  HOST,
  POLICY,
  policyHost,
  rawPolicyHost,
  TEXT,
} from './policy-host.ts'

describe('fetching a policy', () => {
  test('T6, T20: asks the well-known path of the policy host, named in Host and SNI', async (t) => {
    const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end(POLICY))
    const fetched = await fetchFrom(host)
    assert.ok(fetched.ok, JSON.stringify(fetched))
    assert.equal(fetched.policy.text, POLICY)
    assert.deepEqual(host.requests, [`GET /.well-known/mta-sts.txt ${HOST}:${host.port}`])
    assert.deepEqual(host.serverNames, [HOST])
  })

  test('T7: parameters of text/plain do not matter', async (t) => {
    const host = await policyHost(t, (_, response) =>
      response.writeHead(200, { 'content-type': 'Text/Plain;charset=x' }).end(POLICY),
    )
    assert.ok((await fetchFrom(host)).ok)
  })

  for (const [what, type] of [
    ['HTML', 'text/html'],
    ['something like text/plain', 'text/plainish'],
  ] as const) {
    test(`T7: ${what} is refused`, async (t) => {
      const host = await policyHost(t, (_, response) => response.writeHead(200, { 'content-type': type }).end(POLICY))
      assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /media type/)
    })
  }
  test('T7: an answer without media type is refused', async (t) => {
    const host = await policyHost(t, (_, response) => response.end(POLICY))
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /media type/)
  })

  for (const status of [201, 204, 206, 301, 302, 304, 307, 308, 404, 500, 503]) {
    test(`T14: status ${status} is a failure, and no redirect is followed`, async (t) => {
      const host = await policyHost(t, (_, response) =>
        response.writeHead(status, { ...TEXT, location: '/elsewhere' }).end(status === 204 ? undefined : POLICY),
      )
      assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', new RegExp(`HTTP status ${status}`))
      assert.equal(host.requests.length, 1)
    })
  }

  test('T14: no cookie, no cache header, no kept connection', async (t) => {
    const host = await rawPolicyHost(t, '', (socket) => socket.end())
    await fetchFrom(host)
    assert.match(host.requests[0] ?? '', /\r\nconnection: close\r\n/i)
    assert.doesNotMatch(host.requests[0] ?? '', /cookie|cache|if-|proxy|accept-encoding/i)
  })

  test('T16: 64 KiB are read', async (t) => {
    const host = await policyHost(t, (_, response) => {
      const filler = `x: ${'y'.repeat(997)}\n`
      const body = POLICY + filler.repeat(65)
      response.writeHead(200, TEXT).end(body + `x: ${'y'.repeat(65_536 - body.length - 4)}\n`)
    })
    const fetched = await fetchFrom(host)
    assert.ok(fetched.ok)
    assert.equal(fetched.policy.text.length, 65_536)
  })
  test('T16: more is refused, whatever its declared length', async (t) => {
    const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end('a'.repeat(65_537)))
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /larger than 65536/)
  })
  test('T16: without end is refused at the limit', async (t) => {
    const host = await policyHost(t, (_, response) => {
      response.writeHead(200, TEXT)
      const pour = (): void => {
        while (response.write('a'.repeat(10_000)));
      }
      response.on('drain', pour)
      pour()
    })
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /larger than 65536/)
  })

  test('T16: a server that drips is left when time is up', async (t) => {
    const host = await rawPolicyHost(
      t,
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9999\r\n\r\n',
      (socket) => {
        const timer = setInterval(() => socket.write('a'), 20)
        socket.on('close', () => clearInterval(timer))
      },
    )
    const started = performance.now()
    assertFailure(await fetchFrom(host, { timeout: 400 }), 'sts-policy-fetch-error', /not done within 0.4 s/)
    assert.ok(performance.now() - started < 1000)
  })
  test('T16: one that drips headers too', async (t) => {
    const host = await rawPolicyHost(t, 'HTTP/1.1 200 OK\r\n', (socket) => {
      const timer = setInterval(() => socket.write('X-A: b\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    assertFailure(await fetchFrom(host, { timeout: 400 }), 'sts-policy-fetch-error', /not done within 0.4 s/)
  })
  for (const informational of ['100 Continue', '103 Early Hints', '199 Unheard Of'])
    test(`T16: one that says ${informational} for ever is left after ten of them`, async (t) => {
      const host = await rawPolicyHost(t, '', (socket) => {
        const timer = setInterval(() => socket.write(`HTTP/1.1 ${informational}\r\n\r\n`), 1)
        socket.on('close', () => clearInterval(timer))
      })
      assertFailure(await fetchFrom(host, { timeout: 20_000 }), 'sts-policy-fetch-error', /more than 10 informational/)
    })
  test('T16: informational responses before the policy do no harm', async (t) => {
    const host = await rawPolicyHost(
      t,
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(10) +
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${POLICY.length}\r\n\r\n${POLICY}`,
    )
    const fetched = await fetchFrom(host)
    assert.ok(fetched.ok, JSON.stringify(fetched))
  })
  test('T16: headers without end are refused at the limit', async (t) => {
    const host = await rawPolicyHost(t, `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}`)
    assertFailure(await fetchFrom(host, { timeout: 20_000 }), 'sts-policy-fetch-error', /HPE_HEADER_OVERFLOW/)
  })
  test('T16: chunks that are mostly extensions are refused at the limit', async (t) => {
    const chunk = `1;x=${'y'.repeat(8000)}\r\na\r\n`
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n'
    const host = await rawPolicyHost(t, head, (socket) => {
      const pour = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      }
      socket.on('drain', pour)
      pour()
    })
    assertFailure(
      await fetchFrom(host, { timeout: 20_000 }),
      'sts-policy-fetch-error',
      /more than 1048576 octets|HPE_CHUNK_EXTENSIONS_OVERFLOW/,
    )
  })
  test('T16: trailers without end are refused at the limit', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n'
    const host = await rawPolicyHost(t, `${head}1\r\na\r\n0\r\n`, (socket) => {
      const pour = (): void => {
        while (!socket.destroyed && socket.write(`X: ${'y'.repeat(1000)}\r\n`));
      }
      socket.on('drain', pour)
      pour()
    })
    assertFailure(
      await fetchFrom(host, { timeout: 20_000 }),
      'sts-policy-fetch-error',
      /more than 1048576|HPE_|ECONNRESET/,
    )
  })
  test('T16: one that switches protocols gets no further', async (t) => {
    const host = await rawPolicyHost(t, 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
    assertFailure(await fetchFrom(host, { timeout: 400 }), 'sts-policy-fetch-error', /./)
  })
  test('T16: one that accepts and says nothing, not even TLS, too', async (t) => {
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const port = (server.address() as { port: number }).port
    const started = performance.now()
    assertFailure(await fetcher(port, { timeout: 300 })(DOMAIN), 'sts-policy-fetch-error', /not done within|in time/)
    assert.ok(performance.now() - started < 1000)
  })
  test('T16: a resolver that does not answer too', async () => {
    const silent = fetcher(1, { timeout: 200, lookup: () => new Promise(() => undefined) })
    assertFailure(await silent(DOMAIN), 'sts-policy-fetch-error', /address lookup not done within 0.2 s/)
  })
  test('a caller can end it', async (t) => {
    const host = await rawPolicyHost(t, '')
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('shut down')), 100)
    assertFailure(await fetcher(host.port)(DOMAIN, stop.signal), 'sts-policy-fetch-error', /shut down/)
  })

  test('a truncated answer is a failure', async (t) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${POLICY.length}\r\n\r\n`
    const host = await rawPolicyHost(t, head + POLICY.slice(0, -5), (socket) => socket.end())
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /./)
  })
  test('an answer without length that ends within a line is taken for truncated', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'
    const host = await rawPolicyHost(t, head + POLICY.slice(0, -5), (socket) => socket.end())
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /may be cut off/)
  })
  test('an answer without length that ends with a line is read', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'
    const host = await rawPolicyHost(t, head + POLICY, (socket) => socket.end())
    assert.ok((await fetchFrom(host)).ok)
  })
  test('a compressed answer, which nobody asked for, is a failure', async (t) => {
    const host = await policyHost(t, (_, response) =>
      response.writeHead(200, { ...TEXT, 'content-encoding': 'gzip' }).end(POLICY),
    )
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /content encoding/)
  })
  test('garbage instead of HTTP is a failure', async (t) => {
    const host = await rawPolicyHost(t, '220 mail.example.test ESMTP\r\n')
    assertFailure(await fetchFrom(host), 'sts-policy-fetch-error', /./)
  })

  test('T9: a file that is no policy is sts-policy-invalid', async (t) => {
    const host = await policyHost(t, (_, response) => response.writeHead(200, TEXT).end('hello\n'))
    assertFailure(await fetchFrom(host), 'sts-policy-invalid', /line 1: no "key: value": "hello"/)
  })
  test('T10: a file that is not UTF-8 is sts-policy-invalid', async (t) => {
    const host = await policyHost(t, (_, response) =>
      response.writeHead(200, TEXT).end(Buffer.concat([Buffer.from(`${POLICY}x: `), Buffer.of(0xe9, 10)])),
    )
    assertFailure(await fetchFrom(host), 'sts-policy-invalid', /UTF-8/)
  })
})
