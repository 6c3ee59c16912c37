import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createTlsOptions, type ClientTls } from '../../../dist/lib/delivery/index.js'
import type { AttemptVerdict } from '../../../dist/lib/policy/index.js'
import type { Behaviour } from '../../internet/behaviour.ts'
import { rsaIdentity } from '../../internet/certificates.ts'
import { HOST, settings, sts, tlsa } from '../policy/question.ts'
import { audited, open, optional, required, serve, summary, verdict, world } from './client.ts'

/** It exchanges keys by RSA alone: whoever gets its key one day reads what was said to it. */
const withoutForwardSecrecy: Partial<Behaviour> = {
  identity: rsaIdentity(world, HOST),
  maxVersion: 'TLSv1.2',
  ciphers: 'AES256-GCM-SHA384:AES128-SHA',
}

async function session(
  t: TestContext,
  terms: AttemptVerdict,
  client: ClientTls = { mutual: false },
  behaviour = withoutForwardSecrecy,
) {
  const tlsOptions = () => createTlsOptions(client, () => world.caPem)(terms)
  return open(t, await serve(t, behaviour), terms, { tlsOptions })
}

describe('T29, Q5 (RFC 9325 4.1): a host without forward secrecy', () => {
  const demanding: Readonly<Record<string, () => AttemptVerdict>> = {
    'starttls = require': required,
    DANE: () => verdict({ host: { tlsa: tlsa('usable') } }),
    'an enforced MTA-STS policy': () => verdict({ domain: { sts: sts('enforce') } }),
    REQUIRETLS: () => verdict({ domain: { mxSecurity: 'secure' }, attempt: { request: 'requiretls' } }),
    credentials: () => verdict({ attempt: { credentials: true } }),
  }
  for (const [what, terms] of Object.entries(demanding))
    test(`is refused for ${what}, and the refusal says why`, async (t) => {
      const opened = await session(t, terms())
      assert.equal(summary(opened), 'refused handshake-failed, clear text may follow')
      const text = opened.opening.status === 'refused' ? opened.opening.because.text : ''
      assert.match(text, /handshake failure.*; forward secrecy is demanded \(ciphers in outbound-tls\.ini\)$/)
    })

  const lenient: Readonly<Record<string, () => AttemptVerdict>> = {
    'TLS is optional: encryption beats clear text (RFC 7435)': optional,
    'an audit would send it in clear text otherwise': audited,
    'TLS-Required: No would': () =>
      verdict({ domain: { sts: sts('enforce') }, attempt: { request: 'tls-required-no' } }),
  }
  for (const [why, terms] of Object.entries(lenient))
    test(`is taken as it is where ${why}`, async (t) => {
      const { opening } = await session(t, terms())
      const { starttls } = opening
      assert.equal(starttls.status === 'done' && starttls.peer.cipher, 'AES256-GCM-SHA384')
    })

  test('is taken as it is where ciphers has its suite', async (t) => {
    const terms = verdict({ settings: settings({ starttls: 'require', ciphers: 'AES128-SHA' }) })
    const { starttls } = (await session(t, terms)).opening
    assert.equal(starttls.status === 'done' && starttls.peer.cipher, 'AES128-SHA')
  })

  test('is taken as it is where tls.ini has its suite, unless ciphers has others', async (t) => {
    const client = { mutual: false, ciphers: 'AES256-GCM-SHA384' }
    const { starttls } = (await session(t, required(), client)).opening
    assert.equal(starttls.status === 'done' && starttls.peer.cipher, 'AES256-GCM-SHA384')
    const terms = verdict({ settings: settings({ starttls: 'require', ciphers: 'ECDHE+AESGCM' }) })
    const refused = await session(t, terms, client)
    assert.equal(summary(refused), 'refused handshake-failed, clear text may follow')
    assert.doesNotMatch(refused.opening.status === 'refused' ? refused.opening.because.text : '', /forward secrecy/)
  })
})

describe('a host with TLS 1.0 alone', () => {
  const old: Partial<Behaviour> = { maxVersion: 'TLSv1' }
  for (const [what, client, ciphers] of [
    ['', { mutual: false }, undefined],
    [', also with ciphers', { mutual: false }, 'ECDHE-ECDSA-AES256-SHA'],
    [', also with ciphers in tls.ini', { mutual: false, ciphers: 'HIGH' }, undefined],
  ] as const)
    test(`is spoken to where min-tls-version says so${what}`, async (t) => {
      const terms = verdict({ settings: settings({ starttls: 'require', minTlsVersion: 'TLSv1', ciphers }) })
      const { starttls } = (await session(t, terms, client, old)).opening
      assert.equal(starttls.status === 'done' && starttls.peer.protocol, 'TLSv1')
    })
})
