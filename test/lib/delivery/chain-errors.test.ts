import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthority, issue, makeKey, type Certificate } from '../../support/certificates.ts'
import { HOST } from '../policy/question.ts'
import { open, required, serve, world } from './client.ts'

const dnsNames = [HOST]
const weakIssuer = createAuthority('Weak digest', { issuer: world.root, hash: 'sha1' })

/** What OpenSSL finds wrong, and Node.js has no code for. */
const cases: Readonly<Record<string, readonly [chain: readonly Certificate[], text: RegExp]>> = {
  'whose key is too weak': [[issue(world.root, { dnsNames, key: makeKey('rsa', 1024) })], /key too weak$/],
  'whose digest is too weak': [
    [issue(weakIssuer, { dnsNames, hash: 'sha1' }), weakIssuer],
    /digest algorithm too weak$/,
  ],
  'with a critical extension that nobody knows': [
    [issue(world.root, { dnsNames, criticalUnknown: true })],
    /unhandled critical extension$/,
  ],
}

describe('a certificate', () => {
  for (const [what, [chain, text]] of Object.entries(cases))
    test(`${what} is refused in OpenSSL's words`, async (t) => {
      const identity = { key: chain[0]?.key.pem ?? '', cert: chain.map(({ pem }) => pem).join('') }
      const server = await serve(t, { identity, ciphers: 'DEFAULT@SECLEVEL=0' })
      const { opening } = await open(t, server, required())
      assert.equal(opening.status, 'refused')
      assert.equal(opening.because.code, 'certificate-not-trusted')
      assert.match(opening.because.text, text)
      assert.doesNotMatch(opening.because.text, /UNSPECIFIED/)
    })
})
