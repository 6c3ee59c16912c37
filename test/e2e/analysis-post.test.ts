import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { freePort, sharedInternet } from '../internet/index.ts'
import { analysisIni, keptIn, OURS, reportJson, type ReportOptions } from './received-reports.ts'

const INI = 'outbound-tls.analysis.ini'
const GZIP = 'application/tlsrpt+gzip'
const JSON_TYPE = 'application/tlsrpt+json'
const accepting = analysisIni({ https: true, 'max-size': '64kb' })
const port = await freePort()

/** A POST from an address of this machine; without a body, it comes later or never. */
function openPost(port: number, localAddress: string, body?: Buffer): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  const length = body?.length ?? 1000
  socket.write(
    `POST /seen/report HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: ${GZIP}\r\nContent-Length: ${length}\r\n\r\n`,
  )
  if (body !== undefined) socket.write(body)
  return socket
}

/** Waits for something in what is answered. Rejects where it has ended without. */
async function heard(socket: Socket, pattern: RegExp): Promise<void> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (pattern.test(text)) return
  }
  throw new Error(`no ${pattern} in ${JSON.stringify(text)}`)
}

describe('a TLS report that comes by POST', () => {
  const net = sharedInternet({
    haraka: {
      plugins: ['outbound-tls/plugins/status', 'outbound-tls/plugins/analysis'],
      config: {
        [INI]: accepting,
        'http.ini': { main: { listen: `127.0.0.1:${port}` } },
        'outbound-tls.status.ini': { main: { path: '/seen', token: 'nobody-may-see-the-page' } },
      },
    },
  })
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`
  const post = (body: Buffer | ReadableStream, type = GZIP, headers = {}): Promise<Response> =>
    fetch(url('/seen/report'), {
      ...{ method: 'POST', body, headers: { 'Content-Type': type, ...headers } },
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    })
  const gzip = (options: ReportOptions): Buffer => gzipSync(reportJson(options))

  before(() => net.haraka.log.waitFor(/init_http_respond/))

  for (const [form, type, content] of [
    ['gzip', GZIP, gzip],
    ['JSON', JSON_TYPE, reportJson],
  ] as const)
    test(`is kept from ${form}, and counts for nobody, since nobody has signed it`, async () => {
      const since = net.haraka.log.lines.length
      const response = await post(content({ id: form, failures: 3 }), type)
      assert.equal(response.status, 201)
      const [entry] = (await keptIn(net.haraka.folder))
        .map((kept) => kept.entry)
        .filter((kept) => kept.reportId === form)
      assert.ok(entry !== undefined && !entry.isCounted && entry.signedBy === undefined && entry.source === 'https')
      const line = await net.haraka.log.waitFor(/POST from 127\.0\.0\.1: TLS report/, { since })
      assert.match(
        line,
        new RegExp(` \\[INFO\\] .* for ${OURS}, sts, .* 3 failed .*, not counted: by POST, from anyone$`),
      )
    })

  const silent = {
    policy: { 'policy-type': 'no-policy-found' },
    summary: { 'total-successful-session-count': 3, 'total-failure-session-count': 0 },
  }
  test("names its domain in the id alone, as Postfix' tlsrpt does without a policy: it is about that", async () => {
    const id = `2026-11-30T00:00:00Z_idx1_${OURS}`
    assert.equal((await post(gzip({ id, policies: [silent] }))).status, 201)
    const [entry] = (await keptIn(net.haraka.folder)).map((kept) => kept.entry).filter((one) => one.reportId === id)
    assert.deepEqual(entry?.domains, [OURS])
  })

  test('names no domain at all: it is kept, as from a mail, and about nobody', async () => {
    assert.equal((await post(gzip({ id: 'no domain', policies: [silent] }))).status, 201)
  })

  test('is kept once', async () => {
    const statuses = [(await post(gzip({ id: 'twice' }))).status, (await post(gzip({ id: 'twice' }))).status]
    assert.deepEqual(statuses, [201, 200])
  })

  for (const [why, status, send] of [
    ['is no report', 400, () => post(Buffer.from('{"a":1}'), JSON_TYPE)],
    ['is cut', 400, () => post(gzip({ id: 'cut' }).subarray(0, 100))],
    ['is empty', 400, () => post(Buffer.alloc(0))],
    ['is too large, as its length says', 413, () => post(Buffer.alloc(65_537))],
    ['becomes too large', 413, () => post(gzipSync(Buffer.alloc(10_000_000, ' ').fill('{"a":[', 0, 6)))],
    ['is of a type that a form has', 415, () => post(gzip({ id: 'form' }), 'text/plain')],
    ['is in a coding that is not gzip', 415, () => post(gzip({ id: 'br' }), GZIP, { 'Content-Encoding': 'br' })],
    ['is about others', 422, () => post(gzip({ id: 'foreign', policies: [] }))],
  ] as const)
    test(`is refused where it ${why}: ${status}`, async () => assert.equal((await send()).status, status))

  test('is refused without a length when it has become too large: 413', async () => {
    let pieces = 0
    const endless = new ReadableStream({
      pull: (stream) => {
        if (pieces++ < 100) stream.enqueue(Buffer.from(`${pieces === 1 ? '{"a":"' : ''}${'x'.repeat(2000)}`))
        else stream.close()
      },
    })
    assert.equal((await post(endless, JSON_TYPE)).status, 413)
  })

  test('comes by no other method: 405, whichever plugin stands first', async () => {
    const response = await fetch(url('/seen/report'))
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'])
  })

  test('comes to no other path', async () => {
    for (const path of ['/report', '/seen/report/', '/tls/report'])
      assert.equal((await fetch(url(path), { method: 'POST', body: '{}' })).status, 404, path)
    for (const path of ['/seen', '/seen/report/x'])
      // there is the page, which takes nothing
      assert.equal((await fetch(url(path), { method: 'POST', body: '{}' })).status, 405, path)
  })

  for (const [name, value] of [
    ['Origin', 'https://evil.example'],
    ['Sec-Fetch-Site', 'cross-site'],
  ] as const)
    test(`is refused from a page, which sends ${name}, whatever its type: 403`, async () => {
      const response = await fetch(url('/seen/report'), {
        ...{ method: 'POST', body: gzip({ id: name }), headers: { [name]: value } },
      })
      assert.equal(response.status, 403)
    })

  test('is received from others while one client sends slowly and takes all that is for one: 503', async (t) => {
    const slow = Array.from({ length: 5 }, () => openPost(port, '127.0.0.1'))
    t.after(() => slow.forEach((socket) => socket.destroy()))
    // with that it has begun
    for (const socket of slow) await heard(socket, /100 Continue/)
    assert.equal((await post(gzip({ id: 'sixth' }))).status, 503)
    const other = openPost(port, '127.0.0.2', gzip({ id: 'of another' }))
    t.after(() => other.destroy())
    await heard(other, /201 Created/)
  })

  test('is not accepted where it could not be kept: 503', async (t) => {
    t.after(() => net.haraka.reconfigure('outbound-tls.ini', net.settings()))
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ store: { path: 'no/such/folder.db' } }))
    const response = await post(gzip({ id: 'no-store' }))
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '600'])
  })

  test('finds nothing there where https = false', async (t) => {
    t.after(() => net.haraka.reconfigure(INI, accepting))
    await net.haraka.reconfigure(INI, analysisIni())
    assert.equal((await post(gzip({ id: 'closed' }))).status, 404)
  })

  test('is refused from one who sends too many: 429', async () => {
    const statuses: number[] = []
    while (statuses.at(-1) !== 429 && statuses.length <= 100)
      statuses.push((await post(Buffer.from('{}'), JSON_TYPE)).status)
    const response = await post(gzip({ id: 'too-many' }))
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '600'])
  })
})
