import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { PassThrough } from 'node:stream'
import { createGate } from '../../dist/status/gate.js'
import type { Request } from '../../dist/status/request.js'

const request: Request = {
  visit: {
    method: 'POST',
    httpVersion: '1.1',
    headers: { host: 'mail.example.org' },
    remoteAddress: '192.0.2.1',
    encrypted: true,
  },
  settings: { path: '/tls', metrics: true, token: 'a3f0c1d2e4b5968778695a4b' },
  target: 'page',
  parts: ['login'],
  query: new URLSearchParams(),
}

/** A form that is on its way. */
function form(): PassThrough & IncomingMessage {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage
}

/** A gate that has seen more wrong tokens from the address of `request` than the limit. */
function gateAfterGuesses(): ReturnType<typeof createGate> {
  const gate = createGate(() => undefined)
  for (let tries = 0; tries < 20; tries++) gate.admission(bearing('a-guess'))
  const beyond = gate.admission(bearing('a-guess'))
  assert.equal('status' in beyond && beyond.status, 429)
  return gate
}

function bearing(token: string): Request {
  const { visit } = request
  return { ...request, visit: { ...visit, headers: { ...visit.headers, authorization: `Bearer ${token}` } } }
}

describe('the right token', () => {
  test('is let in, however many wrong ones came from its address', () => {
    const token = request.settings.token ?? ''
    assert.deepEqual(gateAfterGuesses().admission(bearing(token)), { admitted: true, by: 'bearer' })
  })

  test('logs in by the form, however many wrong ones came from its address', async () => {
    const right = form()
    const reply = gateAfterGuesses().login(request, right)
    right.end(`token=${request.settings.token ?? ''}`)
    assert.equal((await reply).status, 303)
  })
})

describe('the login form', () => {
  test('is refused as one of too many beyond the fifth wrong token, however many were sent before the first was', async () => {
    const warnings: string[] = []
    const gate = createGate((text) => warnings.push(text))
    const forms = Array.from({ length: 8 }, form)
    const replies = forms.map((each) => gate.login(request, each))
    for (const each of forms) each.end('token=a-guess')
    const statuses = (await Promise.all(replies)).map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 429).length, 3)
    assert.equal(warnings.length, 5)
  })

  test('that does not come whole is no failure of ours', async () => {
    const gate = createGate(() => undefined)
    const cut = form()
    const reply = gate.login(request, cut)
    cut.write('tok')
    cut.destroy(new Error('aborted'))
    assert.notEqual((await reply).status, 303)
  })
})
