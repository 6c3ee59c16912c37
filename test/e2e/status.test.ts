import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../internet/index.ts'
import { startHaraka, type Haraka } from './haraka.ts'
import { ask, type Asked } from './http.ts'

const TOKEN = 'a3f0c1d2e4b5968778695a4b'
const plugins = ['outbound-tls/plugins/status']

const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** A Haraka whose http server is at a port of its own, for all tests of a suite. */
function sharedHaraka(status: string, more: Readonly<Record<string, string>> = {}) {
  let haraka: Haraka
  let port = 0
  before(async () => {
    port = await freePort()
    const config = { 'http.ini': `listen=127.0.0.1:${port}\n`, 'outbound-tls.status.ini': status, ...more }
    haraka = await startHaraka({ plugins, config })
    await haraka.log.waitFor(new RegExp(`Listening on 127\\.0\\.0\\.1:${port}`))
  })
  after(() => haraka.stop())
  return {
    get haraka() {
      return haraka
    },
    ask: (path: string, asked?: Asked) => ask(`http://127.0.0.1:${port}`, path, asked),
  }
}

describe('the page without a token', () => {
  const shared = sharedHaraka('')
  const pages = ['', '/destinations', '/policies', '/reports', '/received', '/resolver', '/exemptions']

  test('shows every view, empty as it is, as a page and as JSON', async () => {
    for (const page of pages) {
      const { status, headers, body } = await shared.ask(`/tls${page}`)
      assert.equal(status, 200, `${page}: ${body}`)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.match(body, /<h1>/)
      const json = await shared.ask(`/tls/api${page === '' ? '/overview' : page}`)
      assert.equal(json.status, 200, page)
      assert.equal((JSON.parse(json.body) as { schema: number }).schema, 1)
    }
    assert.equal((await shared.ask('/metrics')).status, 200)
  })

  test('says what to do where nothing is recorded yet', async () => {
    assert.match((await shared.ask('/tls')).body, /Nothing has been recorded yet/)
  })

  test('sends headers that leave a browser nothing to load, to keep or to run', async () => {
    const { headers } = await shared.ask('/tls')
    const policy = String(headers['content-security-policy'])
    for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
      assert.ok(policy.includes(part), policy)
    assert.ok(!policy.includes('unsafe'), policy)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-powered-by'], undefined)
  })

  const proxied = {
    'x-forwarded-for': '192.0.2.1',
    forwarded: 'for=192.0.2.1',
    via: '1.1 proxy',
    'x-real-ip': '192.0.2.1',
  }
  for (const [name, text] of Object.entries({ ...proxied, host: 'mail.example.org', origin: 'https://evil.example' })) {
    test(`shows nothing to a request with ${name}: ${text}`, async () => {
      for (const path of ['/tls', '/tls/destinations', '/tls/api/overview', '/metrics', '/tls/api/nothing']) {
        const { status, body } = await shared.ask(path, { headers: { [name]: text } })
        assert.equal(status, 403, path)
        assert.match(body, /token/)
      }
    })
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    test(`changes nothing by ${method}`, async () => {
      for (const path of ['/tls', '/tls/destinations', '/tls/api/overview'])
        assert.equal((await shared.ask(path, { method })).status, 405, path)
    })

  test('answers HEAD without a body', async () => {
    const { status, headers, body } = await shared.ask('/tls', { method: 'HEAD' })
    assert.equal(status, 200)
    assert.ok(Number(headers['content-length']) > 1000)
    assert.equal(body, '')
  })

  test('has no login', async () => {
    const { status } = await shared.ask('/tls/login', { method: 'POST', headers: form, body: 'token=x' })
    assert.equal(status, 404)
  })

  test('says so where there is nothing, as a page and as JSON', async () => {
    for (const path of [
      '/tls/nothing',
      '/tls/destinations/a/b',
      '/tls/__proto__',
      '/tls/%00',
      '/tls/%E0%A4%A',
      '/tls/destinations/nothing.example',
      '/tls/reports/a/b',
      '/tls/received/0123456789abcdef',
    ]) {
      assert.equal((await shared.ask(path)).status, 404, path)
      const json = await shared.ask(path.replace('/tls/', '/tls/api/'))
      assert.equal(json.status, 404, path)
      assert.equal(typeof (JSON.parse(json.body) as { error: unknown }).error, 'string')
    }
  })

  test('takes nothing but what is below its path', async () => {
    for (const path of ['/', '/tlsx', '/TLS', '/metricsx']) assert.equal((await shared.ask(path)).status, 404, path)
  })

  test('takes queries as they come', async () => {
    for (const query of [
      'span=x',
      'search=%00%ff<script>',
      'after=1~',
      'from=-1',
      'after=99999999999999999999~x',
      'state=__proto__',
      'unverified=true',
    ])
      for (const page of pages) assert.equal((await shared.ask(`/tls${page}?${query}`)).status, 200, `${page}?${query}`)
  })
})

describe('the page with a token', () => {
  const shared = sharedHaraka(`path = /secret/tls\ntoken = ${TOKEN}\n`)
  const bearer = { authorization: `Bearer ${TOKEN}` }
  const logIn = (token: string, headers = {}) =>
    shared.ask('/secret/tls/login', { method: 'POST', headers: { ...form, ...headers }, body: `token=${token}` })

  test('shows nothing without it, not even to this machine, and asks for it', async () => {
    const page = await shared.ask('/secret/tls')
    assert.equal(page.status, 401)
    assert.match(page.body, /<form[^>]* action="\/secret\/tls\/login"/)
    assert.doesNotMatch(page.body, /At a glance/)
    for (const path of ['/secret/tls/api/overview', '/metrics']) {
      const { status, headers, body } = await shared.ask(path)
      assert.equal(status, 401)
      assert.equal(headers['www-authenticate'], 'Bearer')
      assert.match(body, /Authorization: Bearer/)
    }
  })

  test('shows everything to a program that has it, also through a proxy', async () => {
    for (const path of ['/secret/tls', '/secret/tls/api/overview', '/metrics']) {
      const headers = { ...bearer, 'x-forwarded-for': '192.0.2.1', host: 'mail.example.org' }
      assert.equal((await shared.ask(path, { headers })).status, 200)
    }
  })

  test('does not take it in the address', async () => {
    assert.equal((await shared.ask(`/secret/tls?token=${TOKEN}`)).status, 401)
    assert.equal((await shared.ask(`/secret/tls/login?token=${TOKEN}`)).status, 303)
    assert.equal((await shared.ask('/secret/tls/login', { headers: { cookie: `outbound-tls=${TOKEN}` } })).status, 303)
    assert.equal((await shared.ask('/secret/tls', { headers: { cookie: `outbound-tls=${TOKEN}` } })).status, 401)
  })

  test('gives a cookie for it that is good for this page, until one logs out', async () => {
    const { status, headers } = await logIn(TOKEN)
    assert.equal(status, 303)
    assert.equal(headers.location, '/secret/tls')
    const [cookie = ''] = headers['set-cookie'] ?? []
    assert.match(cookie, /; Path=\/secret\/tls; .*HttpOnly; SameSite=Strict/)
    assert.ok(!cookie.includes(TOKEN))
    const given = { cookie: cookie.split(';')[0] ?? '' }
    const page = await shared.ask('/secret/tls', { headers: given })
    assert.equal(page.status, 200)
    assert.match(page.body, /Log out/)
    const out = await shared.ask('/secret/tls/logout', { method: 'POST', headers: given })
    assert.match(String(out.headers['set-cookie']), /outbound-tls=;.*Max-Age=0/)
  })

  test('takes no login that the page of another site sends', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const { status, headers: got } = await logIn(TOKEN, headers)
      assert.equal(status, 403)
      assert.equal(got['set-cookie'], undefined)
    }
    assert.equal((await logIn(TOKEN, { 'sec-fetch-site': 'same-origin' })).status, 303)
  })

  test('does not read a form that is too long, or none', async () => {
    const long = await shared.ask('/secret/tls/login', {
      method: 'POST',
      headers: form,
      body: `token=${TOKEN}&x=${'x'.repeat(10_000)}`,
    })
    assert.equal(long.status, 401)
    const json = await shared.ask('/secret/tls/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `token=${TOKEN}`,
    })
    assert.equal(json.status, 401)
  })

  test('after some wrong tokens refuses more of them with 429, and lets the right one in', async () => {
    const wrong = { authorization: 'Bearer wrong-wrong-wrong-wrong' }
    for (let tries = 0; tries < 10; tries++) await shared.ask('/metrics', { headers: wrong })
    const { status, headers } = await shared.ask('/secret/tls/api/overview', { headers: wrong })
    assert.equal(status, 429)
    assert.equal(headers['retry-after'], '60')
    assert.equal((await shared.ask('/secret/tls/api/overview', { headers: bearer })).status, 200)
    assert.equal((await logIn(TOKEN)).status, 303)
    await shared.haraka.log.waitFor(/\[WARN\].*a wrong token came from 127\.0\.0\.1/)
    assert.ok(!shared.haraka.log.lines.some((line) => line.includes(TOKEN) || line.includes('wrong-wrong')))
  })
})

describe('the configuration of the page', () => {
  const shared = sharedHaraka('metrics = false\n')

  test('metrics = false leaves /metrics to others', async () => {
    assert.equal((await shared.ask('/metrics')).status, 404)
    assert.equal((await shared.ask('/tls')).status, 200)
  })

  test('is followed: another path, and a token', async () => {
    await shared.haraka.reconfigure('outbound-tls.status.ini', `path = /mail/tls\ntoken = ${TOKEN}\n`)
    assert.equal((await shared.ask('/tls')).status, 404)
    assert.equal((await shared.ask('/mail/tls')).status, 401)
  })

  test('a bad one is said at CRIT, and the last good one stays in force', async () => {
    await shared.haraka.reconfigure('outbound-tls.status.ini', 'token = short\n')
    await shared.haraka.log.waitFor(/\[CRIT\].*outbound-tls\.status\.ini \[main\] token: accepted/)
    assert.equal((await shared.ask('/mail/tls')).status, 401)
  })

  test('a bad one at the start: the plugin does not load', async () => {
    const config = { 'outbound-tls.status.ini': 'token = short\n' }
    await assert.rejects(startHaraka({ plugins, config }), /outbound-tls\.status\.ini \[main\] token: accepted/)
  })

  test('without an http server one line says what to do, and that is all', async (t) => {
    const haraka = await startHaraka({ plugins })
    t.after(() => haraka.stop())
    const lines = haraka.log.lines.filter((line) => line.includes('[outbound-tls/plugins/status]'))
    assert.equal(
      lines.filter((line) => /\[WARN\].*there is no page: .*listen = 127\.0\.0\.1:8080/.test(line)).length,
      1,
    )
  })
})
