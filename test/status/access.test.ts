import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { admit, isDirectFromHere, isFromOurPage, issueTicket, setCookie, type Visit } from '../../dist/status/access.js'
import { createLoginLimit } from '../../dist/status/login-limit.js'
import { runs } from '../support/runs.ts'

const TOKEN = 'a3f0c1d2e4b5968778695a4b'
const NOW = Date.parse('2026-06-01T12:00:00Z')
const HOUR = 3_600_000

function visit({ headers, ...changes }: Partial<Visit> = {}): Visit {
  return {
    method: 'GET',
    httpVersion: '1.1',
    headers: { host: 'localhost:8080', ...headers },
    remoteAddress: '127.0.0.1',
    encrypted: false,
    ...changes,
  }
}

describe('without a token', () => {
  for (const remoteAddress of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '10.0.0.1', '', 'localhost', undefined])
    test(`a request from ${remoteAddress} sees nothing`, () => {
      assert.deepEqual(admit(visit({ remoteAddress }), undefined, NOW), { admitted: false, why: 'not-direct' })
    })

  const forwarding = {
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-host': 'mail.example.org',
    'x-forwarded-proto': 'https',
    'x-forwarded-server': 'proxy',
    'x-forwarded': '192.0.2.1',
    forwarded: 'for=192.0.2.1',
    via: '1.1 proxy',
    'x-real-ip': '192.0.2.1',
    'x-client-ip': '192.0.2.1',
    'x-cluster-client-ip': '192.0.2.1',
    'x-original-url': '/tls',
    'x-envoy-external-address': '192.0.2.1',
    'cf-connecting-ip': '192.0.2.1',
    'true-client-ip': '192.0.2.1',
  }
  for (const [name, value] of Object.entries(forwarding)) {
    test(`a request with the header ${name} was passed on by a proxy, and sees nothing`, () => {
      assert.equal(isDirectFromHere(visit({ headers: { [name]: value } })), false)
      assert.equal(isDirectFromHere(visit({ headers: { [name]: '' } })), false)
    })
  }

  test('a request in HTTP/1.0 may be that of a proxy that adds no header, and sees nothing', () => {
    assert.equal(isDirectFromHere(visit({ httpVersion: '1.0' })), false)
  })

  const foreign = [
    ...['mail.example.org', 'localhost.example.org', 'example.org:8080', '127.0.0.1.example.org', '192.0.2.1', ''],
    ...['[2001:db8::1]:80', '127.1', 'localhost:8080@example.org', 'localhost, example.org', '2130706433', undefined],
  ]
  for (const host of foreign)
    test(`a request for ${host} is for another name that was made to lead here, and sees nothing`, () => {
      assert.equal(isDirectFromHere(visit({ headers: { host } })), false)
    })

  for (const name of ['origin', 'referer'])
    for (const page of ['https://evil.example/', 'null', 'http://localhost.evil.example'])
      test(`a request from a page elsewhere sees nothing: ${name}: ${page}`, () => {
        assert.equal(isDirectFromHere(visit({ headers: { [name]: page } })), false)
      })

  for (const remoteAddress of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])
    for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:80', '127.0.0.2', '[::1]', '[::1]:8080'])
      test(`a direct request from ${remoteAddress} for ${host} sees all`, () => {
        const direct = visit({ remoteAddress, headers: { host, referer: 'http://localhost:8080/tls' } })
        assert.deepEqual(admit(direct, undefined, NOW), { admitted: true, by: 'loopback' })
      })
})

describe('with a token', () => {
  test('a direct request from this machine needs it, too', () => {
    assert.deepEqual(admit(visit(), TOKEN, NOW), { admitted: false, why: 'token-missing' })
  })

  for (const authorization of [
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    'Bearer ',
    'Bearer',
    '',
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
  ])
    test(`"Authorization: ${authorization}" is wrong`, () => {
      assert.deepEqual(admit(visit({ headers: { authorization } }), TOKEN, NOW), {
        admitted: false,
        why: 'token-wrong',
      })
    })

  for (const authorization of [`Basic ${TOKEN}`, 'Digest username="a"', 'Negotiate abc'])
    test(`"Authorization: ${authorization}" is for a proxy in front: no guess, and in nobody's way`, () => {
      assert.deepEqual(admit(visit({ headers: { authorization } }), TOKEN, NOW), {
        ...{ admitted: false, why: 'token-missing' },
      })
      const cookie = `outbound-tls=${issueTicket(TOKEN, NOW)}`
      assert.deepEqual(admit(visit({ headers: { authorization, cookie } }), TOKEN, NOW), {
        ...{ admitted: true, by: 'cookie' },
      })
    })

  const ticket = issueTicket(TOKEN, NOW)
  const withCookie = (cookie: string) => visit({ headers: { cookie } })

  test('the token itself, or what was made of another one, is no cookie', () => {
    const others = [TOKEN, `${NOW + HOUR}.${TOKEN}`, issueTicket(`${TOKEN}x`, NOW), '', '.', 'NaN.x', `${ticket}.x`]
    for (const other of others)
      assert.equal(admit(withCookie(`outbound-tls=${other}`), TOKEN, NOW).admitted, false, other)
  })

  test('a login ends after twelve hours, and cannot be made to last by changing it', () => {
    const cookie = withCookie(`outbound-tls=${ticket}`)
    assert.equal(admit(cookie, TOKEN, NOW + 12 * HOUR - 1).admitted, true)
    assert.equal(admit(cookie, TOKEN, NOW + 12 * HOUR).admitted, false)
    const [until = '', proof] = ticket.split('.')
    assert.equal(admit(withCookie(`outbound-tls=${Number(until) + 1}.${proof}`), TOKEN, NOW).admitted, false)
  })

  test('a login from a clock that was far ahead is over when the clock is right again', () => {
    assert.equal(admit(withCookie(`outbound-tls=${issueTicket(TOKEN, NOW + 24 * HOUR)}`), TOKEN, NOW).admitted, false)
  })

  test('the cookie does not hold the token', () => assert.ok(!ticket.includes(TOKEN)))

  test('whatever the headers are, nobody is let in without it', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('Bearer x', `outbound-tls=${NOW}.x`),
    )
    fc.assert(
      fc.property(text, text, (authorization, cookie) => {
        assert.equal(admit(visit({ headers: { authorization, cookie } }), TOKEN, NOW).admitted, false)
      }),
      { numRuns: runs(500, 10_000) },
    )
  })

  test('whoever knows it sees all, from anywhere and through any proxy', () => {
    const from = { remoteAddress: '192.0.2.1', httpVersion: '1.0' }
    const headers = { host: 'mail.example.org', 'x-forwarded-for': '192.0.2.9' }
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN} `])
      assert.deepEqual(admit(visit({ ...from, headers: { ...headers, authorization } }), TOKEN, NOW), {
        admitted: true,
        by: 'bearer',
      })
    const cookie = `a=b; outbound-tls=${ticket}; c=d`
    assert.deepEqual(admit(visit({ ...from, headers: { ...headers, cookie } }), TOKEN, NOW), {
      admitted: true,
      by: 'cookie',
    })
  })
})

describe('the cookie', () => {
  test('is out of reach of scripts and other sites, for the page only, and for TLS only where there is TLS', () => {
    const cookie = setCookie(visit(), '/tls', 'x.y')
    assert.equal(cookie, 'outbound-tls=x.y; Path=/tls; Max-Age=43200; HttpOnly; SameSite=Strict')
    assert.equal(setCookie(visit({ encrypted: true }), '/tls', 'x.y'), `${cookie}; Secure`)
    assert.equal(setCookie(visit({ headers: { 'x-forwarded-proto': 'https' } }), '/tls', 'x.y'), `${cookie}; Secure`)
  })
  test('is taken away by a logout', () => {
    assert.match(setCookie(visit(), '/tls', undefined), /^outbound-tls=; Path=\/tls; Max-Age=0;/)
  })
})

describe('a form', () => {
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8081' },
  ] as const)
    test(`of another site is not ours: ${JSON.stringify(headers)}`, () => {
      assert.equal(isFromOurPage(visit({ headers })), false)
    })
  for (const headers of [
    { 'sec-fetch-site': 'same-origin' },
    { origin: 'http://localhost:8080' },
    { origin: 'https://mail.example.org', 'x-forwarded-host': 'mail.example.org' },
    {},
  ] as const)
    test(`of our page is ours: ${JSON.stringify(headers)}`, () => {
      assert.equal(isFromOurPage(visit({ headers })), true)
    })
})

describe('the limit of wrong tokens', () => {
  test('is five from one address in a minute; other addresses have their own', () => {
    let time = 0
    const isOverLimit = createLoginLimit(() => time)
    for (let tries = 0; tries < 5; tries++) assert.equal(isOverLimit('192.0.2.1'), false)
    assert.equal(isOverLimit('192.0.2.1'), true)
    assert.equal(isOverLimit('192.0.2.2'), false)
    time += 60_000
    assert.equal(isOverLimit('192.0.2.1'), false)
  })

  test('counts the addresses of one IPv6 network together', () => {
    const isOverLimit = createLoginLimit(() => 0)
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::3', '2001:db8:0:0:a:b:c:d', '2001:db8::'])
      assert.equal(isOverLimit(address), false)
    assert.equal(isOverLimit('2001:db8::77'), true)
    assert.equal(isOverLimit('2001:db8:0:1::1'), false)
    assert.equal(isOverLimit('::1'), false)
  })

  test('remembers a bounded number of addresses', () => {
    const isOverLimit = createLoginLimit(() => 0)
    for (let tries = 0; tries < 6; tries++) isOverLimit('192.0.2.1')
    for (let host = 0; host < 1000; host++) isOverLimit(`10.0.${host >> 8}.${host & 255}`)
    assert.equal(isOverLimit('192.0.2.1'), false)
  })
})
