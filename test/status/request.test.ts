import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { isDirectFromHere } from '../../dist/status/access.js'
import { readRequest } from '../../dist/status/request.js'

const settings = { path: '/tls', metrics: true, token: undefined }

function isDirect(...hosts: readonly string[]): boolean {
  const message = {
    ...{ url: '/tls', method: 'GET', httpVersion: '1.1', socket: { remoteAddress: '127.0.0.1' } },
    ...{ headers: { host: hosts[0] }, headersDistinct: { host: hosts } },
  } as unknown as IncomingMessage
  const request = readRequest(message, settings)
  assert.ok(request !== undefined)
  return isDirectFromHere(request.visit)
}

describe('a request', () => {
  test('that names several hosts is direct for none of them (RFC 9112 3.2)', () => {
    assert.equal(isDirect('localhost'), true)
    assert.equal(isDirect('localhost', 'mail.example.org'), false)
  })
})
