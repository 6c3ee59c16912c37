import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Handshake } from '../internet/behaviour.ts'
import { rsaIdentity } from '../internet/certificates.ts'
import {
  assertNothingInClear,
  endlessLine,
  endlessReply,
  hangUp,
  reset,
  sharedInternet,
  silence,
  type Reply,
} from '../internet/index.ts'
import { assertDeferred, assertLogged, sendTo } from './telling.ts'

const settings = {
  main: { 'tls-timeout': '1s' },
  'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' },
  'rule:no-fallback': { 'if-rcpt-domain': ['*.strict.test'], 'plaintext-fallback': false },
  'rule:old': { 'if-rcpt-domain': ['*.old.test'], 'min-tls-version': 'TLSv1' },
  'rule:listed': { 'if-rcpt-domain': ['listed.required.test'], ciphers: 'AES256-GCM-SHA384' },
  'rule:new': { 'if-rcpt-domain': ['*.new.test'], 'min-tls-version': 'TLSv1.3', 'plaintext-fallback': false },
}

const broken: readonly (readonly [Handshake, RegExp])[] = [
  ['reset', /ECONNRESET|connection closed/],
  ['reset-after-client-hello', /ECONNRESET|connection closed|disconnected/],
  ['alert', /alert|handshake failure/],
  ['garbage', /wrong version|packet/],
  ['silence', /took too long/],
]

describe('a TLS handshake', () => {
  const net = sharedInternet({ settings, haraka: { outbound: { main: { connect_timeout: 2 } } } })

  describe('that fails', { concurrency: true }, () => {
    for (const [handshake, text] of broken) {
      test(`with "${handshake}" is the next host's turn, where TLS is required`, async () => {
        const domain = `${handshake}.required.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { handshake })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.equal(server.connections.length, 1)
        assert.deepEqual(server.commands, ['EHLO', 'STARTTLS'])
        assertNothingInClear(server)
        assertNothingInClear(net.server(`mx2.${domain}`))
        await assertLogged(net, `refused mx1.${domain}[`, 'TLS handshake failed', text)
      })

      test(`with "${handshake}" is followed by clear text on a new connection, where TLS is optional (D15)`, async () => {
        const domain = `${handshake}.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { handshake })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.deepEqual(server.connections[0]?.commands, ['EHLO', 'STARTTLS'])
        assert.deepEqual(server.connections[1]?.commands, ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
        assert.deepEqual(net.server(`mx2.${domain}`).commands, [])
        await assertLogged(net, `Clear-text connection to mx1.${domain}`, 'plaintext-fallback')
        await assertLogged(net, `outcome for ${domain} `)
      })
    }

    test('is never followed by clear text with plaintext-fallback = false', async () => {
      net.domain('a.strict.test')
      const server = net.server('mx1.a.strict.test', { handshake: 'reset-after-client-hello' })
      assertDeferred(await sendTo(net, 'a.strict.test'), '4.7.5', /TLS handshake failed/)
      assert.equal(server.connections.length, 1)
      assertNothingInClear(server)
    })

    test('in clear text, too, leaves the next host', async () => {
      net.domain('both.test', { mx: ['mx1', 'mx2'] })
      const server = net.server('mx1.both.test', { handshake: 'alert', mail: reset })
      assert.equal((await sendTo(net, 'both.test')).fate, 'delivered')
      assert.equal(server.connections.length, 2)
      assertNothingInClear(net.server('mx2.both.test'))
    })
  })

  describe('whose certificate is refused', () => {
    for (const certificate of ['expired', 'future', 'other-name', 'cn-only', 'self-signed', 'foreign'] as const) {
      test(`is never followed by clear text: ${certificate}`, async () => {
        const domain = `${certificate}.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { certificate })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.deepEqual(server.commands, ['EHLO', 'STARTTLS'])
        assertNothingInClear(server)
        assertNothingInClear(net.server(`mx2.${domain}`))
        await assertLogged(net, `refused mx1.${domain}[`, 'does not validate', 'Next host')
      })
    }

    test('defers, 4.7.5, when there is no other host', async () => {
      net.domain('untrusted.test')
      const server = net.server('mx1.untrusted.test', { certificate: 'foreign' })
      assertDeferred(await sendTo(net, 'untrusted.test'), '4.7.5', /the certificate of mx1\.untrusted\.test does not/)
      assertNothingInClear(server)
    })
  })

  describe('in an old version', () => {
    test('TLS 1.0 is not TLS where it is required', async () => {
      net.domain('tls10.required.test')
      const server = net.server('mx1.tls10.required.test', { maxVersion: 'TLSv1' })
      assertDeferred(await sendTo(net, 'tls10.required.test'), '4.7.5', /version|protocol/)
      assertNothingInClear(server)
    })

    test('TLS 1.0 is accepted with min-tls-version = TLSv1', async () => {
      net.domain('a.old.test')
      const server = net.server('mx1.a.old.test', { maxVersion: 'TLSv1' })
      assert.equal((await sendTo(net, 'a.old.test')).fate, 'delivered')
      assert.equal(server.messages[0]?.protocol, 'TLSv1')
      assertNothingInClear(server)
    })

    test('TLS 1.2 is refused with min-tls-version = TLSv1.3, 1.3 is not', async () => {
      net.domain('a.new.test', { mx: ['mx1', 'mx2'] })
      net.server('mx1.a.new.test', { maxVersion: 'TLSv1.2' })
      assert.equal((await sendTo(net, 'a.new.test')).fate, 'delivered')
      assertNothingInClear(net.server('mx1.a.new.test'))
      assert.equal(net.server('mx2.a.new.test').messages[0]?.protocol, 'TLSv1.3')
    })
  })

  describe('without forward secrecy (RFC 9325 4.1)', () => {
    const host = (domain: string) => {
      net.domain(domain)
      const server = net.server(`mx1.${domain}`, { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' })
      server.behave({ identity: rsaIdentity(net.certificates, server.name) })
      return server
    }

    test('is not made where TLS is required, and log and bounce say why', async () => {
      const server = host('static-rsa.required.test')
      const outcome = await sendTo(net, 'static-rsa.required.test')
      assertDeferred(outcome, '4.7.5', /forward secrecy is demanded \(ciphers in outbound-tls\.ini\)/)
      assertNothingInClear(server)
    })

    test('is made where ciphers lists the suite', async () => {
      const server = host('listed.required.test')
      assert.equal((await sendTo(net, 'listed.required.test')).fate, 'delivered')
      assertNothingInClear(server)
    })

    test('is made where TLS is optional: nothing goes out in clear text', async () => {
      const server = host('static-rsa.test')
      assert.equal((await sendTo(net, 'static-rsa.test')).fate, 'delivered')
      assertNothingInClear(server)
      await assertLogged(net, 'TLS connection to mx1.static-rsa.test', 'AES256-GCM-SHA384')
    })
  })

  describe('that the server regrets', () => {
    test('a TLS 1.3 server that demands a certificate refuses after the handshake: next host', async () => {
      net.domain('demands.required.test', { mx: ['mx1', 'mx2'] })
      const server = net.server('mx1.demands.required.test', { clientCertificate: 'required', minVersion: 'TLSv1.3' })
      assert.equal((await sendTo(net, 'demands.required.test')).fate, 'delivered')
      assert.deepEqual(server.messages, [])
      assertNothingInClear(server)
      assertNothingInClear(net.server('mx2.demands.required.test'))
      await assertLogged(net, 'outcome for demands.required.test at mx1', 'handshake-failed')
    })

    for (const [name, ehloOnTls] of Object.entries({
      'hangs up instead of': hangUp,
      'resets instead of': reset,
      'is silent instead of': silence,
      'says 421 instead of': '421 4.3.2 not now',
    })) {
      test(`a server that ${name} answering EHLO over TLS: next host`, async () => {
        const domain = `${name.split(' ')[0]}-on-tls.required.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { ehloOnTls })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assertNothingInClear(server)
        assertNothingInClear(net.server(`mx2.${domain}`))
      })
    }

    test('a server that hangs up right behind its EHLO reply over TLS: next host', async () => {
      net.domain('bye.required.test', { mx: ['mx1', 'mx2'] })
      const ehloOnTls: Reply = { send: '250-mx1.bye.required.test\r\n250 8BITMIME\r\n', then: 'close' }
      const server = net.server('mx1.bye.required.test', { ehloOnTls })
      assert.equal((await sendTo(net, 'bye.required.test')).fate, 'delivered')
      assert.deepEqual(server.messages, [])
      assertNothingInClear(server)
      assertNothingInClear(net.server('mx2.bye.required.test'))
    })
  })

  const greetings: Readonly<Record<string, Reply>> = {
    '554 as': '554 5.3.2 go away',
    '421 as': '421 4.3.2 later',
    'garbage as': 'HTTP/1.1 400 Bad Request',
    'an endless line as': endlessLine,
    'endless lines as': endlessReply,
    'a dripping': { send: '220-mx1 is here\r\n'.repeat(1000), every: 20 },
    no: silence,
    'a reset as': reset,
  }

  describe('is not reached', { concurrency: true }, () => {
    for (const [index, [what, greeting]] of Object.entries(greetings).entries()) {
      test(`with ${what} greeting: next host, where TLS is required`, async () => {
        const domain = `g${index}.required.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { greeting })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.deepEqual(
          server.commands.filter((verb) => verb !== 'QUIT'),
          [],
        )
        assertNothingInClear(net.server(`mx2.${domain}`))
      })
    }

    test('with a greeting that drips, where TLS is optional: next host', async () => {
      net.domain('drips.test', { mx: ['mx1', 'mx2'] })
      net.server('mx1.drips.test', { greeting: { send: '220-mx1 is here\r\n'.repeat(1000), every: 20 } })
      assert.equal((await sendTo(net, 'drips.test')).fate, 'delivered')
      assertNothingInClear(net.server('mx2.drips.test'))
    })

    test('at any host: the message waits, 4.4.2, and never bounces', async () => {
      net.domain('nobody.required.test', { mx: ['mx1', 'mx2', 'mx3'] })
      net.server('mx1.nobody.required.test', { greeting: '554 5.3.2 go away' })
      net.server('mx2.nobody.required.test', { greeting: 'garbage' })
      net.server('mx3.nobody.required.test', { ehlo: endlessReply })
      const fate = await sendTo(net, 'nobody.required.test')
      assertDeferred(fate, '4.4.2', /mx1.*554 5\.3\.2 go away.*mx2.*not an SMTP reply.*mx3.*more than \d+ lines/)
    })
  })
})
