import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import tls from 'node:tls'
import type { Behaviour } from './behaviour.ts'
import { createCertificates } from './certificates.ts'
import { readLines, type LineReader } from './lines.ts'
import { assertNothingInClear, createMailServer, type MailServer } from './mail-server.ts'
import { endlessReply, hangUp, reset, silence } from './reply.ts'

const world = createCertificates()
const name = 'mx1.example.test'
const ordinary: Behaviour = { name, identity: world.identity(name, 'leaf') }

async function start(t: TestContext, behaviour: Partial<Behaviour> = {}): Promise<MailServer> {
  const server = createMailServer({ address: '127.3.1.1', port: 0 }, { ...ordinary, ...behaviour })
  await server.ready
  t.after(() => server.stop())
  return server
}

interface Client {
  socket: net.Socket
  lines: LineReader
  /** sends a command; the reply's last line */
  ask: (command: string) => Promise<string | undefined>
  startTls: (options?: tls.ConnectionOptions) => Promise<tls.TLSSocket>
}

function connect(server: MailServer): Client {
  const socket = net.connect(server.port, server.address)
  socket.on('error', () => socket.destroy())
  const client: Client = {
    socket,
    lines: readLines(socket),
    async ask(command) {
      if (command !== '') client.socket.write(`${command}\r\n`)
      for (;;) {
        const line = await client.lines.next()
        if (line === undefined || line[3] === ' ') return line
      }
    },
    async startTls(options = {}) {
      client.lines.release()
      const secure = tls.connect({ socket, ca: world.caPem, servername: name, ...options })
      client.socket = secure
      await once(secure, 'secureConnect')
      client.lines = readLines(secure)
      return secure
    },
  }
  return client
}

async function sendOver(client: Client): Promise<void> {
  for (const command of ['MAIL FROM:<a@b.test> SIZE=9', 'RCPT TO:<c@d.test>', 'DATA']) await client.ask(command)
  assert.match((await client.ask('Subject: x\r\n\r\n..dot\r\n.')) ?? '', /^250/)
}

describe('a scripted mail server', () => {
  test('takes a message over TLS and knows all about it', async (t) => {
    const server = await start(t, { capabilitiesOnTls: ['REQUIRETLS'] })
    const client = connect(server)
    assert.match((await client.ask('')) ?? '', /^220 mx1/)
    assert.equal(await client.ask('EHLO me.test'), '250 STARTTLS')
    assert.match((await client.ask('STARTTLS')) ?? '', /^220/)
    assert.equal((await client.startTls()).authorized, true)
    assert.equal(await client.ask('EHLO me.test'), '250 REQUIRETLS')
    await sendOver(client)
    await client.ask('QUIT')

    const message = await server.nextMessage()
    assert.equal(message.data, 'Subject: x\r\n\r\n.dot\r\n')
    assert.deepEqual([message.from, message.to, message.parameters], ['a@b.test', ['c@d.test'], ['SIZE=9']])
    assert.deepEqual([message.tls, message.protocol, message.servername], [true, 'TLSv1.3', name])
    assert.deepEqual(server.commands, ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    assertNothingInClear(server)
    assert.equal(await server.quiet(), true)
  })

  test('tells when something came in clear', async (t) => {
    const server = await start(t, { offersTls: false })
    const client = connect(server)
    assert.equal(await client.ask(''), '220 mx1.example.test ESMTP')
    await client.ask('EHLO me.test')
    await sendOver(client)
    assert.equal((await server.nextMessage()).tls, false)
    assert.throws(() => assertNothingInClear(server), /heard this in clear text/)
    await assert.rejects(server.nextMessage(20), /no message in 20 ms/)
  })

  for (const handshake of ['reset', 'reset-after-client-hello', 'alert', 'garbage'] as const) {
    test(`breaks the handshake: ${handshake}`, async (t) => {
      const server = await start(t, { handshake })
      const client = connect(server)
      for (const command of ['', 'EHLO me.test', 'STARTTLS']) await client.ask(command)
      await assert.rejects(client.startTls())
      assert.equal(server.connections[0]?.error, `handshake: ${handshake}`)
    })
  }

  test('speaks no more than the TLS version it is told, TLS 1.0 included', async (t) => {
    const server = await start(t, { maxVersion: 'TLSv1' })
    const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    for (const [options, worked] of [
      [{}, false],
      [old, true],
    ] as const) {
      const client = connect(server)
      for (const command of ['', 'EHLO me.test', 'STARTTLS']) await client.ask(command)
      const protocol = await client.startTls(options).then(
        (secure) => secure.getProtocol(),
        () => undefined,
      )
      assert.equal(protocol, worked ? 'TLSv1' : undefined)
    }
  })

  test('wants a certificate of its clients', async (t) => {
    const server = await start(t, { clientCertificate: 'required', maxVersion: 'TLSv1.2' })
    const own = world.identity('me.test', 'direct')
    for (const options of [{}, own]) {
      const client = connect(server)
      for (const command of ['', 'EHLO me.test', 'STARTTLS']) await client.ask(command)
      if (options !== own) await assert.rejects(client.startTls(options))
      else await client.startTls(options)
    }
    assert.equal((await eventually(() => server.connections[1]?.tls))?.clientCertificate, true)
  })

  test('presents another identity to another name', async (t) => {
    const server = await start(t, { identities: { 'alias.test': world.identity('alias.test', 'leaf') } })
    for (const servername of ['alias.test', name]) {
      const client = connect(server)
      for (const command of ['', 'EHLO me.test', 'STARTTLS']) await client.ask(command)
      assert.equal((await client.startTls({ servername })).authorized, true)
    }
  })

  test('injects bytes behind the 220 to STARTTLS', async (t) => {
    const server = await start(t, { starttls: { send: '220 go\r\n250 injected\r\n' } })
    const client = connect(server)
    for (const command of ['', 'EHLO me.test', 'STARTTLS']) await client.ask(command)
    assert.equal(await client.lines.next(), '250 injected')
    await client.startTls()
  })

  test('is silent, hangs up, resets, drips and does not stop talking', async (t) => {
    const server = await start(t, { greeting: silence })
    const heard = async (greeting: Behaviour['greeting']): Promise<string | undefined> => {
      server.behave({ greeting: greeting ?? '220 hi' })
      const client = connect(server)
      const line = await Promise.race([
        client.lines.next(),
        new Promise<string>((done) => setTimeout(done, 50, 'silence')),
      ])
      client.socket.destroy()
      return line
    }
    assert.equal(await heard(silence), 'silence')
    assert.equal(await heard(hangUp), undefined)
    assert.equal(await heard(reset), undefined)
    assert.equal(await heard({ send: '220 dripping', every: 20 }), 'silence')
    assert.equal(await heard({ send: '220 dr\r\n', every: 1 }), '220 dr')
    assert.equal(await heard(endlessReply), '250-AND-SO-ON')
    assert.equal(await server.quiet(), true)
  })

  test('answers each recipient as told, and LMTP each of those that it took', async (t) => {
    const no = { 'no@d.test': '550 5.1.1 no such user' }
    const server = await start(t, { lmtp: true, rcpt: no, message: { 'late@d.test': '452 4.2.2 full' } })
    const client = connect(server)
    for (const command of ['', 'LHLO me.test', 'MAIL FROM:<a@b.test>']) await client.ask(command)
    assert.equal(await client.ask('RCPT TO:<no@d.test>'), '550 5.1.1 no such user')
    for (const command of ['RCPT TO:<yes@d.test>', 'RCPT TO:<late@d.test>', 'DATA']) await client.ask(command)
    assert.match((await client.ask('x\r\n.')) ?? '', /^250/)
    assert.equal(await client.ask(''), '452 4.2.2 full')
  })

  test('offers AUTH where it is told to and keeps what it hears', async (t) => {
    const server = await start(t, { offersAuth: 'always' })
    const client = connect(server)
    await client.ask('')
    assert.equal(await client.ask('EHLO me.test'), '250 AUTH PLAIN LOGIN')
    await client.ask('AUTH LOGIN')
    await client.ask('dXNlcg==')
    assert.match((await client.ask('c2VjcmV0')) ?? '', /^235/)
    assert.equal(server.connections[0]?.lines.at(-1)?.line, 'c2VjcmV0')
    assert.throws(() => assertNothingInClear(server))
  })
})

async function eventually<Value>(value: () => Value | undefined): Promise<Value | undefined> {
  for (let attempts = 0; attempts < 50 && value() === undefined; attempts++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return value()
}
