import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import tls from 'node:tls'
import type { AttemptVerdict } from '../../../dist/lib/policy/index.js'
import type { Behaviour } from '../../internet/behaviour.ts'
import { clientIdentity } from '../../internet/certificates.ts'
import { assertNothingInClear } from '../../internet/mail-server.ts'
import { endlessLine, endlessReply, hangUp, reset, silence } from '../../internet/reply.ts'
import { HOST, settings, sts, tlsa } from '../policy/question.ts'
import { audited, open, optional, PATIENCE, required, serve, summary, verdict, world } from './client.ts'

interface Case {
  readonly what: string
  readonly behaviour: Partial<Behaviour>
  readonly required: string
  readonly optional: string
  readonly audit: string
  /** whose patience ends in this case: with replies, or with STARTTLS and the handshake */
  readonly impatient?: 'replies' | 'tls'
}

const same = (outcome: string) => ({ required: outcome, optional: outcome, audit: outcome })
const toCore = (code: string) => ({ required: `refused ${code}`, optional: 'open not-tried', audit: 'open not-tried' })
const toCoreAtLast = (code: string) => ({
  required: `refused ${code}`,
  optional: `refused ${code}, to be told`,
  audit: `refused ${code}, to be told`,
})
const handshakeFails = same('refused handshake-failed, clear text may follow')

const cases: readonly Case[] = [
  { what: 'all in order', behaviour: {}, ...same('open done') },
  // greeting
  { what: 'greeting 421', behaviour: { greeting: '421 busy' }, ...toCoreAtLast('greeting-refused') },
  { what: 'greeting 554', behaviour: { greeting: '554 go away' }, ...toCoreAtLast('greeting-refused') },
  {
    what: 'greeting that is garbage',
    behaviour: { greeting: 'SSH-2.0-OpenSSH_9.6' },
    ...same('refused malformed-reply'),
  },
  { what: 'greeting without end', behaviour: { greeting: endlessLine }, ...same('refused malformed-reply') },
  { what: 'greeting of endless lines', behaviour: { greeting: endlessReply }, ...same('refused malformed-reply') },
  { what: 'no greeting', behaviour: { greeting: silence }, impatient: 'replies', ...same('refused timeout') },
  {
    what: 'a greeting that drips',
    behaviour: { greeting: { send: `220 ${'still not ready '.repeat(10)}\r\n`, every: 20 } },
    impatient: 'replies',
    ...same('refused timeout'),
  },
  { what: 'hang-up instead of a greeting', behaviour: { greeting: hangUp }, ...same('refused connection-lost') },
  {
    what: 'reset instead of a greeting',
    behaviour: { greeting: { ...reset, after: 30 } },
    ...same('refused connection-lost'),
  },
  // EHLO
  { what: 'EHLO 500', behaviour: { ehlo: '500 what?' }, ...toCore('ehlo-refused') },
  { what: 'EHLO 421', behaviour: { ehlo: '421 later' }, ...toCoreAtLast('ehlo-refused') },
  { what: 'EHLO garbage', behaviour: { ehlo: 'hello there' }, ...same('refused malformed-reply') },
  { what: 'EHLO with a code that changes', behaviour: { ehlo: '250-mx1\n550 no' }, ...same('refused malformed-reply') },
  { what: 'EHLO without end', behaviour: { ehlo: endlessReply }, ...same('refused malformed-reply') },
  { what: 'no answer to EHLO', behaviour: { ehlo: silence }, impatient: 'replies', ...same('refused timeout') },
  { what: 'hang-up at EHLO', behaviour: { ehlo: hangUp }, ...same('refused connection-lost') },
  // STARTTLS
  {
    what: 'no STARTTLS',
    behaviour: { offersTls: false },
    required: 'refused starttls-not-offered',
    optional: 'open not-offered',
    audit: 'open not-offered, passed over starttls-not-offered',
  },
  {
    what: 'STARTTLS 454',
    behaviour: { starttls: '454 4.7.0 TLS not available' },
    required: 'refused starttls-refused',
    optional: 'open refused',
    audit: 'open refused, passed over starttls-refused',
  },
  {
    what: 'STARTTLS 502',
    behaviour: { starttls: '502 not implemented' },
    required: 'refused starttls-refused',
    optional: 'open refused',
    audit: 'open refused, passed over starttls-refused',
  },
  { what: 'STARTTLS garbage', behaviour: { starttls: 'yes please' }, ...handshakeFails },
  { what: 'no answer to STARTTLS', behaviour: { starttls: silence }, impatient: 'tls', ...handshakeFails },
  { what: 'hang-up at STARTTLS', behaviour: { starttls: hangUp }, ...handshakeFails },
  { what: 'reset at STARTTLS', behaviour: { starttls: reset }, ...handshakeFails },
  // injection
  {
    what: 'an octet behind the 220',
    behaviour: { starttls: { send: '220 go ahead\r\n2' } },
    ...same('refused starttls-injection'),
  },
  {
    what: 'a line behind the 220',
    behaviour: { starttls: { send: '220 go ahead\r\n250 believe me\r\n' } },
    ...same('refused starttls-injection'),
  },
  {
    what: 'several lines behind the 220',
    behaviour: { starttls: { send: '220 go ahead\r\n250-mx1\r\n250-AUTH PLAIN\r\n250 HELP\r\n' } },
    ...same('refused starttls-injection'),
  },
  {
    what: 'a line some time behind the 220',
    behaviour: { starttls: { send: '220 go ahead\r\n' }, handshake: 'garbage' },
    ...handshakeFails,
  },
  // handshake
  { what: 'reset in the handshake', behaviour: { handshake: 'reset' }, ...handshakeFails },
  { what: 'reset after the client hello', behaviour: { handshake: 'reset-after-client-hello' }, ...handshakeFails },
  { what: 'silence in the handshake', behaviour: { handshake: 'silence' }, impatient: 'tls', ...handshakeFails },
  { what: 'an alert', behaviour: { handshake: 'alert' }, ...handshakeFails },
  { what: 'TLS 1.1 at most', behaviour: { maxVersion: 'TLSv1.1' }, ...handshakeFails },
  {
    what: 'a client certificate demanded, TLS 1.3 (refused after the client is done)',
    behaviour: { clientCertificate: 'required', minVersion: 'TLSv1.3' },
    ...handshakeFails,
  },
  {
    what: 'a client certificate demanded, TLS 1.2',
    behaviour: { clientCertificate: 'required', maxVersion: 'TLSv1.2' },
    ...handshakeFails,
  },
  { what: 'a client certificate asked for', behaviour: { clientCertificate: 'requested' }, ...same('open done') },
  // after the handshake
  { what: 'no answer after the handshake', behaviour: { ehloOnTls: silence }, impatient: 'replies', ...handshakeFails },
  { what: 'garbage after the handshake', behaviour: { ehloOnTls: 'what?' }, ...handshakeFails },
  { what: 'hang-up after the handshake', behaviour: { ehloOnTls: hangUp }, ...handshakeFails },
  {
    what: 'EHLO 421 after the handshake',
    behaviour: { ehloOnTls: '421 not now' },
    ...same('refused ehlo-refused, to be told'),
  },
  { what: 'EHLO 550 after the handshake', behaviour: { ehloOnTls: '550 not you' }, ...same('open done') },
  // certificates
  {
    what: 'an expired certificate',
    behaviour: { identity: world.identity(HOST, 'expired') },
    required: 'refused certificate-expired',
    optional: 'refused certificate-expired',
    audit: 'open done, passed over certificate-expired',
  },
  {
    what: 'a self-signed certificate',
    behaviour: { identity: world.identity(HOST, 'self-signed') },
    required: 'refused certificate-not-trusted',
    optional: 'refused certificate-not-trusted',
    audit: 'open done, passed over certificate-not-trusted',
  },
  {
    what: 'a certificate for another name',
    behaviour: { identity: world.identity(HOST, 'other-name') },
    required: 'refused certificate-host-mismatch',
    optional: 'refused certificate-host-mismatch',
    audit: 'open done, passed over certificate-host-mismatch',
  },
]

const verdicts: readonly (readonly ['required' | 'optional' | 'audit', () => AttemptVerdict])[] = [
  ['required', required],
  ['optional', optional],
  ['audit', audited],
]

describe('a session', { concurrency: 8 }, () => {
  for (const { what, behaviour, impatient, ...expected } of cases)
    for (const [level, verdictFor] of verdicts)
      test(`TLS ${level}: ${what}: ${expected[level]}`, { timeout: 20_000 }, async (t) => {
        const server = await serve(t, behaviour)
        const terms = verdictFor()
        const opened = await open(
          t,
          server,
          { ...terms, settings: { ...terms.settings, tlsTimeout: impatient === 'tls' ? 500 : PATIENCE } },
          { replyTimeout: impatient === 'replies' ? 1000 : PATIENCE },
        )
        assert.equal(summary(opened), expected[level])
        assert.deepEqual(opened.socket.eventNames(), [], 'listeners are as before')
        assertNothingInClear(server)
      })
})

/** A server that says its last EHLO reply and good-bye in one TCP segment. */
async function hangingUp(t: TestContext): Promise<{ readonly address: string; readonly port: number }> {
  const { key, cert } = world.identity(HOST, 'leaf')
  const server = net.createServer((socket) => {
    const replies = ['250-mx1\r\n250 STARTTLS\r\n', '220 go ahead\r\n']
    socket.on('error', () => undefined)
    socket.write('220 mx1\r\n')
    socket.on('data', () => {
      socket.write(replies.shift() ?? '')
      if (replies.length > 0) return
      socket.removeAllListeners('data')
      const secure = new tls.TLSSocket(socket, { isServer: true, key, cert })
      secure.on('error', () => undefined)
      secure.once('data', () => {
        socket.cork()
        secure.end('250 mx1\r\n', () => socket.uncork())
      })
    })
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return { address: '127.0.0.1', port: typeof bound === 'object' && bound !== null ? bound.port : 0 }
}

describe('an open session', () => {
  test('RFC 3207 4.2: tells the EHLO reply that came over TLS, not the one before it', async (t) => {
    const server = await serve(t, { capabilities: ['SIZE 1'], capabilitiesOnTls: ['AUTH PLAIN'] })
    const { opening } = await open(t, server, required())
    assert.equal(opening.status, 'open')
    assert.match(opening.replies[1]?.lines.join('') ?? '', /AUTH PLAIN/)
    assert.doesNotMatch(opening.replies[1]?.lines.join('') ?? '', /STARTTLS/)
    assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'EHLO'])
  })

  test('tls = none: STARTTLS is not used, though it is offered', async (t) => {
    const server = await serve(t)
    const opened = await open(t, server, verdict({ settings: settings({ starttls: 'disable' }) }))
    assert.equal(summary(opened), 'open not-tried')
    assert.deepEqual(server.commands, ['EHLO'])
  })

  test('LHLO for LMTP, before and after the handshake', async (t) => {
    const server = await serve(t, { lmtp: true })
    assert.equal(summary(await open(t, server, required(), { verb: 'LHLO' })), 'open done')
    assert.deepEqual(server.commands, ['LHLO', 'STARTTLS', 'LHLO'])
  })

  test('the certificate is judged before anything is said over TLS', async (t) => {
    const server = await serve(t, { identity: world.identity(HOST, 'foreign') })
    await open(t, server, verdict({ domain: { sts: sts('enforce') } }))
    assert.deepEqual(server.commands, ['EHLO', 'STARTTLS'])
  })

  test('T20: SNI is the MX name', async (t) => {
    const server = await serve(t, {
      identity: world.identity(HOST, 'other-name'),
      identities: { [HOST]: world.identity(HOST, 'leaf') },
    })
    assert.equal(summary(await open(t, server, required())), 'open done')
  })

  test('min-tls-version is kept whatever the handshake was talked into: mutual_tls merges options of its own', async (t) => {
    const server = await serve(t, { maxVersion: 'TLSv1.2' })
    const terms = verdict({ settings: settings({ starttls: 'require', minTlsVersion: 'TLSv1.3' }) })
    const tlsOptions = { rejectUnauthorized: false, minVersion: 'TLSv1.2', servername: HOST } as const
    const opened = await open(t, server, terms, { tlsOptions: () => tlsOptions })
    assert.equal(summary(opened), 'refused handshake-failed, clear text may follow')
    assert.match(opened.opening.status === 'refused' ? opened.opening.because.text : '', /TLSv1\.2.*TLSv1\.3/)
  })

  test('a client certificate is presented where one is set up', async (t) => {
    const { key, cert } = clientIdentity(world, 'sender.test')
    const server = await serve(t, { clientCertificate: 'requested' })
    const judgedLater = { rejectUnauthorized: false, checkServerIdentity: () => undefined }
    const tlsOptions = { ...judgedLater, ca: world.caPem, servername: HOST, key, cert }
    assert.equal(summary(await open(t, server, required(), { tlsOptions: () => tlsOptions })), 'open done')
  })

  test('a certificate that Node itself fails to read fails the handshake, not the process', async (t) => {
    const unreadable = () => {
      throw new Error('unreadable')
    }
    const secureSocket = () => ({ getSession: unreadable }) as unknown as tls.TLSSocket
    const opened = await open(t, await serve(t), required(), {}, { secureSocket })
    assert.equal(summary(opened), 'refused handshake-failed, clear text may follow')
  })

  test('a judge that fails is not taken for a peer that failed: nothing follows in clear text', async (t) => {
    const server = await serve(t)
    const judge = () => Promise.reject(new Error('the ground gave way'))
    await assert.rejects(open(t, server, required(), { judge }), /the ground gave way/)
    assert.deepEqual(server.commands, ['EHLO', 'STARTTLS'])
  })

  for (const [how, server] of [
    ['right after', (t: TestContext) => serve(t, { ehloOnTls: { send: '250 mx1\r\n', then: 'close' } })],
    ['together with', hangingUp],
  ] as const)
    test(`hang-up ${how} the last EHLO reply: it is noticed, or whoever has the socket hears of it`, async (t) => {
      const listening = await server(t)
      for (let round = 0; round < 5; round++) {
        const { opening, socket } = await open(t, listening, required())
        assert.equal(opening.starttls.status, 'done', 'the handshake itself was a success')
        const heard = ['end', 'close'].map((event) => once(socket, event, { signal: AbortSignal.timeout(PATIENCE) }))
        if (opening.status === 'open') await Promise.any(heard)
        else assert.equal(opening.because.code, 'connection-lost')
      }
    })

  test('a refusal names the policy that asked for TLS, and its section', async (t) => {
    const server = await serve(t, { offersTls: false })
    const { opening } = await open(t, server, verdict({ host: { tlsa: tlsa('usable') } }))
    assert.equal(opening.status, 'refused')
    assert.deepEqual([opening.because.concern, opening.because.status], ['dane', '4.7.4'])
    assert.match(opening.because.text, /STARTTLS is not offered; DANE: one of 1 TLSA record/)
    assert.equal(opening.because.source, 'RFC 7672 2.2')
  })
})
