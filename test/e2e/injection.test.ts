import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet, type Reply } from '../internet/index.ts'
import { assertDeferred, assertLogged, sendTo } from './telling.ts'

const settings = { 'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' } }

const behindThe220: Readonly<Record<string, string>> = {
  'a single byte': '2',
  'a part of a line': '250 2.0.0 ac',
  'a line': '250-mx1\r\n250 8BITMIME\r\n',
  'several lines': '250-mx1\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n',
  'the beginning of a TLS record': '\x16\x03\x03',
}

describe('bytes behind the 220 that answers STARTTLS', () => {
  const net = sharedInternet({ settings })

  for (const [index, [what, bytes]] of Object.entries(behindThe220).entries()) {
    const starttls: Reply = { send: `220 2.0.0 ready\r\n${bytes}` }

    for (const [how, below] of [
      ['required', '.required.test'],
      ['optional', '.test'],
    ] as const) {
      test(`RFC 3207 6: ${what}: the host fails before the handshake, where TLS is ${how}`, async () => {
        const domain = `i${index}${below}`
        net.domain(domain, { mx: ['mx1', 'mx2'] })
        const server = net.server(`mx1.${domain}`, { starttls })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assert.equal(server.connections.length, 1)
        assert.equal(server.connections[0]?.tls, undefined)
        assert.deepEqual(server.commands, ['EHLO', 'STARTTLS'])
        assert.deepEqual(server.messages, [])
        assert.equal((await net.server(`mx2.${domain}`).nextMessage()).tls, true)
        assertNothingInClear(net.server(`mx2.${domain}`))
        await assertLogged(net, `refused mx1.${domain}[`, 'an injection', 'RFC 3207 6')
      })
    }
  }

  test('RFC 3207 6: from the only host leave the message waiting, 4.7.5', async () => {
    net.domain('only.test')
    const server = net.server('mx1.only.test', { starttls: { send: '220 go\r\n250 ok\r\n' } })
    assertDeferred(await sendTo(net, 'only.test'), '4.7.5', /an injection\. RFC 3207 6/)
    assertNothingInClear(server)
  })

  test('RFC 3207 6: under DANE leave the message waiting, 4.7.5', async () => {
    net.domain('dane.test', { signed: true })
    const server = net.server('mx1.dane.test', { tlsa: '3 1 1', starttls: { send: '220 go\r\n250 ok\r\n' } })
    assertDeferred(await sendTo(net, 'dane.test'), '4.7.5', /an injection/)
    assertNothingInClear(server)
  })
})

describe('replies that come before their commands', () => {
  const net = sharedInternet({ settings })

  for (const [name, behaviour] of Object.entries({
    greeting: { greeting: { send: '220 mx1\r\n250-mx1\r\n250 STARTTLS\r\n220 go\r\n' } },
    ehlo: { ehlo: { send: '250-mx1\r\n250 STARTTLS\r\n220 go\r\n250 ok\r\n' } },
  } satisfies Record<string, { readonly greeting?: Reply; readonly ehlo?: Reply }>)) {
    test(`behind the ${name} get nothing in clear text, where TLS is required`, async () => {
      const domain = `${name}.required.test`
      net.domain(domain, { mx: ['mx1', 'mx2'] })
      const server = net.server(`mx1.${domain}`, behaviour)
      assert.equal((await sendTo(net, domain)).fate, 'delivered')
      assert.deepEqual(server.messages, [])
      assertNothingInClear(server)
      assertNothingInClear(net.server(`mx2.${domain}`))
    })
  }

  test('over TLS do not make the message go twice', async () => {
    net.domain('eager.test')
    const ehloOnTls: Reply = { send: '250-mx1\r\n250 8BITMIME\r\n250 sender ok\r\n' }
    const server = net.server('mx1.eager.test', { ehloOnTls })
    await sendTo(net, 'eager.test')
    assert.ok(server.messages.length <= 1)
    assertNothingInClear(server)
  })
})
