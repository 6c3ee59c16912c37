import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertLogged, sendTo } from './telling.ts'

const rules = {
  'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require', reason: 'the auditors want it' },
  'rule:disabled': { 'if-rcpt-domain': ['*.disabled.test'], starttls: 'disable' },
  'rule:no-dane': { 'if-rcpt-domain': ['nothing.disabled.test'], dane: 'disable' },
}

const refusals = ['454 4.7.0 TLS not available', '502 5.5.1 not implemented', '530 5.7.0 no']

describe('STARTTLS', () => {
  const net = sharedInternet({ settings: rules })

  describe('where it is optional', () => {
    test('RFC 7435 3: is used where it is offered', async () => {
      net.domain('offered.test')
      assert.equal((await sendTo(net, 'offered.test')).fate, 'delivered')
      const server = net.server('mx1.offered.test')
      assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
      assertNothingInClear(server)
      await assertLogged(net, 'Trusted TLS connection to mx1.offered.test')
    })

    test('D15: is not needed where it is not offered', async () => {
      net.domain('plain.test')
      net.server('mx1.plain.test', { offersTls: false })
      const { outcome } = await sendTo(net, 'plain.test')
      assert.equal(outcome.delivered[0]?.secured, false)
      assert.deepEqual(net.server('mx1.plain.test').commands, ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
      await assertLogged(net, 'Clear-text connection to mx1.plain.test', 'STARTTLS is not offered')
    })

    for (const reply of refusals) {
      test(`D15: ${reply.slice(0, 3)} to STARTTLS is followed by clear text on the same connection`, async () => {
        const domain = `r${reply.slice(0, 3)}.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { starttls: reply })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.equal(server.connections.length, 1)
        assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
        assert.deepEqual(net.server(`mx2.${domain}`).commands, [])
        await assertLogged(net, `Clear-text connection to mx1.${domain}`, reply)
      })
    }

    test('500 to EHLO is followed by HELO, and clear text', async () => {
      net.domain('helo.test')
      const server = net.server('mx1.helo.test', { ehlo: '500 5.5.1 what?' })
      assert.equal((await sendTo(net, 'helo.test')).fate, 'delivered')
      assert.deepEqual(server.commands, ['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    })

    test('a keyword in lower case among many is found', async () => {
      net.domain('lower.test')
      const keywords = Array.from({ length: 40 }, (_, index) => `250-XNOTHING${index} at all`).join('\n')
      const ehlo = `250-mx1.lower.test at your service\n${keywords}\n250-starttls\n250 8bitmime`
      const server = net.server('mx1.lower.test', { ehlo })
      assert.equal((await sendTo(net, 'lower.test')).fate, 'delivered')
      assertNothingInClear(server)
    })

    test('an EHLO reply that is "250" and nothing else offers nothing', async () => {
      net.domain('bare.test')
      const server = net.server('mx1.bare.test', { ehlo: '250' })
      assert.equal((await sendTo(net, 'bare.test')).fate, 'delivered')
      assert.deepEqual(server.commands, ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    })

    test('a word of the greeting line is no keyword', async () => {
      net.domain('word.test')
      const server = net.server('mx1.word.test', {
        ehlo: '250-STARTTLS.word.test\n250-XSTARTTLS\n250 8BITMIME STARTTLS',
      })
      assert.equal((await sendTo(net, 'word.test')).fate, 'delivered')
      assert.ok(!server.commands.includes('STARTTLS'))
    })
  })

  describe('where it is required', () => {
    for (const reply of refusals) {
      test(`RFC 3207 4: ${reply.slice(0, 3)} to STARTTLS is the next host's turn, nothing bounces`, async () => {
        const domain = `r${reply.slice(0, 3)}.required.test`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { starttls: reply })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'QUIT'])
        assertNothingInClear(server)
        assert.equal((await net.server(`mx2.${domain}`).nextMessage()).tls, true)
        await assertLogged(net, `refused mx1.${domain}[`, reply, 'Next host')
      })

      test(`RFC 3207 4: ${reply.slice(0, 3)} to STARTTLS of the only host defers, 4.7.4`, async () => {
        const domain = `only${reply.slice(0, 3)}.required.test`
        net.domain(domain)
        const server = net.server(`mx1.${domain}`, { starttls: reply })
        const fate = await sendTo(net, domain)
        assertDeferred(
          fate,
          '4.7.4',
          new RegExp(`mx1.${domain}`),
          new RegExp(reply),
          /\[rule:required\]: the auditors want/,
        )
        assertNothingInClear(server)
      })
    }

    test('RFC 3207 4: a host without it is refused, 4.7.4, with the rule and its reason in log and queue', async () => {
      net.domain('plain.required.test', { mx: ['mx1', 'mx2'] })
      const hosts = ['mx1', 'mx2'].map((name) => net.server(`${name}.plain.required.test`, { offersTls: false }))
      const fate = await sendTo(net, 'plain.required.test')
      assertDeferred(
        fate,
        '4.7.4',
        /mx1\.plain.*not offered.*mx2\.plain.*not offered/,
        /\(\[rule:required\]: the auditors/,
      )
      for (const host of hosts) {
        assert.deepEqual(host.commands, ['EHLO', 'QUIT'])
        assertNothingInClear(host)
      }
      await assertLogged(net, 'plain.required.test deferred, 4.7.4: no host of plain.required.test has what is asked')
    })

    test('500 to EHLO is no reason for HELO: the next host takes the message', async () => {
      net.domain('helo.required.test', { mx: ['mx1', 'mx2'] })
      const server = net.server('mx1.helo.required.test', { ehlo: '500 5.5.1 what?' })
      assert.equal((await sendTo(net, 'helo.required.test')).fate, 'delivered')
      assert.ok(!server.commands.includes('HELO'))
      assertNothingInClear(server)
      assertNothingInClear(net.server('mx2.helo.required.test'))
    })

    test('a bare "250" to EHLO offers no STARTTLS', async () => {
      net.domain('bare.required.test')
      const server = net.server('mx1.bare.required.test', { ehlo: '250' })
      assertDeferred(await sendTo(net, 'bare.required.test'), '4.7.4', /not offered/)
      assertNothingInClear(server)
    })

    test('what the server offered before TLS is forgotten', async () => {
      net.domain('strip.required.test')
      const server = net.server('mx1.strip.required.test', {
        ehlo: '250-mx1\n250-SIZE 1\n250-SMTPUTF8\n250 STARTTLS',
        ehloOnTls: '250-mx1\n250-SIZE 1000000\n250 8BITMIME',
      })
      assert.equal((await sendTo(net, 'strip.required.test')).fate, 'delivered')
      assertNothingInClear(server)
    })
  })

  describe('where it is disabled', () => {
    test('is never used', async () => {
      net.domain('any.disabled.test')
      assert.equal((await sendTo(net, 'any.disabled.test')).fate, 'delivered')
      assert.deepEqual(net.server('mx1.any.disabled.test').commands, ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
      await assertLogged(net, 'Clear-text connection to mx1.any', 'disabled ([rule:disabled])')
    })

    test('D35: a host that DANE applies to is skipped, 4.7.4, and not even connected to', async () => {
      net.domain('dane.disabled.test', { signed: true })
      const server = net.server('mx1.dane.disabled.test', { tlsa: '3 1 1' })
      const fate = await sendTo(net, 'dane.disabled.test')
      assertDeferred(fate, '4.7.4', /DANE asks for TLS with mx1\.dane.*STARTTLS is disabled \(\[rule:disabled\]\)/)
      assert.equal(server.connections.length, 0)
    })

    test('T25: a host that an enforced STS policy applies to is skipped, 4.7.4, too', async () => {
      net.domain('sts.disabled.test', { sts: {} })
      assertDeferred(await sendTo(net, 'sts.disabled.test'), '4.7.4', /MTA-STS policy asks.*\[rule:disabled\]/)
      assert.equal(net.server('mx1.sts.disabled.test').connections.length, 0)
    })

    test('unless the rules disable DANE, too', async () => {
      net.domain('nothing.disabled.test', { signed: true })
      const server = net.server('mx1.nothing.disabled.test', { tlsa: '3 1 1 of other' })
      assert.equal((await sendTo(net, 'nothing.disabled.test')).fate, 'delivered')
      assert.ok(!server.commands.includes('STARTTLS'))
      assert.equal(net.dns.asked(net.tlsaName('mx1.nothing.disabled.test')), 0)
    })
  })
})
