import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { assertNothingInClear, privateInternet, sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertLogged, logged, sendTo } from './telling.ts'

describe('tls.ini', () => {
  const lists = [
    '[outbound]',
    'force_tls_hosts[] = mx1.forced.test',
    'force_tls_hosts[] = forced-domain.test',
    'no_tls_hosts[] = mx1.never.test',
    'no_tls_hosts[] = never-domain.test',
    'no_tls_hosts[] = mx1.never-but-dane.test',
  ]
  const net = sharedInternet({ haraka: { tls: true, config: { 'tls.ini': `mutual_tls=true\n${lists.join('\n')}\n` } } })

  for (const domain of ['forced.test', 'forced-domain.test']) {
    test(`force_tls_hosts asks for STARTTLS, and the next host where there is none: ${domain}`, async () => {
      net.domain(domain, { mx: ['mx1', 'mx2'] })
      const server = net.server(`mx1.${domain}`, { offersTls: false })
      net.server(`mx2.${domain}`, domain === 'forced.test' ? {} : { offersTls: false })
      const fate = await sendTo(net, domain)
      if (domain === 'forced.test') assert.equal(fate.fate, 'delivered')
      else assertDeferred(fate, '4.7.4', /tls\.ini \[outbound\]/)
      assertNothingInClear(server)
    })
  }

  test('force_tls_hosts asks for a certificate that validates', async () => {
    net.domain('forced.test')
    const server = net.server('mx1.forced.test', { certificate: 'foreign' })
    assertDeferred(await sendTo(net, 'forced.test'), '4.7.5', /does not validate/)
    assertNothingInClear(server)
  })

  for (const domain of ['never.test', 'never-domain.test']) {
    test(`no_tls_hosts takes STARTTLS away where no policy applies: ${domain}`, async () => {
      net.domain(domain)
      assert.equal((await sendTo(net, domain)).fate, 'delivered')
      assert.ok(!net.server(`mx1.${domain}`).commands.includes('STARTTLS'))
      await assertLogged(net, `Clear-text connection to mx1.${domain}`, 'no_tls_hosts')
    })
  }

  test('no_tls_hosts loses against DANE, with a WARN', async () => {
    net.domain('never-but-dane.test', { signed: true })
    const server = net.server('mx1.never-but-dane.test', { tlsa: '3 1 1' })
    assert.equal((await sendTo(net, 'never-but-dane.test')).fate, 'delivered')
    assertNothingInClear(server)
    assert.match((await logged(net, 'no_tls_hosts in tls.ini names mx1.never-but-dane.test'))[0] ?? '', /\[WARN\]/)
  })

  test('mutual_tls presents a certificate of ours', async () => {
    net.domain('mutual.test')
    const server = net.server('mx1.mutual.test', { clientCertificate: 'required' })
    assert.equal((await sendTo(net, 'mutual.test')).fate, 'delivered')
    assert.equal(server.connections[0]?.tls?.clientCertificate, true)
    assertNothingInClear(server)
  })

  test('mutual_tls changes nothing about how the certificate of the host is judged', async () => {
    net.domain('mutual-foreign.test')
    const server = net.server('mx1.mutual-foreign.test', { clientCertificate: 'requested', certificate: 'foreign' })
    assertDeferred(await sendTo(net, 'mutual-foreign.test'), '4.7.5', /does not validate/)
    assertNothingInClear(server)

    net.domain('mutual-old.test', { signed: true })
    const old = net.server('mx1.mutual-old.test', {
      clientCertificate: 'requested',
      maxVersion: 'TLSv1.1',
      tlsa: '3 1 1',
    })
    assertDeferred(await sendTo(net, 'mutual-old.test'), '4.7.5', /handshake failed/)
    assertNothingInClear(old)
  })
})

describe('outbound.ini', () => {
  test('enable_tls = false is said at WARN: clear text, and nothing where DANE applies', async (t) => {
    const net = await privateInternet(t, { haraka: { outbound: { main: { enable_tls: false } } } })
    net.domain('plain.test')
    assert.equal((await sendTo(net, 'plain.test')).fate, 'delivered')
    assert.ok(!net.server('mx1.plain.test').commands.includes('STARTTLS'))
    net.domain('dane.test', { signed: true })
    const server = net.server('mx1.dane.test', { tlsa: '3 1 1' })
    assertDeferred(await sendTo(net, 'dane.test'), '4.7.4', /disabled \(outbound\.ini\)/)
    assert.equal(server.connections.length, 0)
    assert.match((await logged(net, 'enable_tls = false: taken as starttls = disable'))[0] ?? '', /\[WARN\]/)
  })

  for (const family of ['v4', 'v6']) {
    test(`inet_prefer = ${family} orders the addresses of one host, never hosts against their preference`, async (t) => {
      const net = await privateInternet(t, { haraka: { outbound: { main: { inet_prefer: family } } } })
      const [four, six] = ['four.test', 'six.test'].map((name) => net.server(name, { offersTls: false }))
      assert.ok(four !== undefined && six !== undefined)
      const A = [four.address]
      const AAAA = [`::ffff:${six.address}`] // what is there to be reached by IPv6 on any machine

      net.domain('one-host.test')
      net.server('mx1.one-host.test', { dns: { A, AAAA } })
      assert.equal((await sendTo(net, 'one-host.test')).fate, 'delivered')
      assert.equal((family === 'v4' ? four : six).messages.length, 1)

      net.domain('two-hosts.test', { mx: ['mx1', 'mx2'] })
      const [first, second, wanted] = family === 'v4' ? [{ A: [], AAAA }, { A }, six] : [{ A }, { A: [], AAAA }, four]
      net.server('mx1.two-hosts.test', { dns: first })
      net.server('mx2.two-hosts.test', { dns: second })
      wanted.forget()
      assert.equal((await sendTo(net, 'two-hosts.test')).fate, 'delivered')
      assert.equal(wanted.messages.length, 1)
    })
  }

  test('local_mx_ok = false skips hosts that are this machine, but not those of a static route', async (t) => {
    const haraka = { outbound: { main: { local_mx_ok: false } }, plugins: ['static-routes', 'outbound-tls'] }
    const net = await privateInternet(t, { haraka })
    net.domain('loop.test')
    const server = net.server('mx1.loop.test')
    assertDeferred(await sendTo(net, 'loop.test'), '4.4.6', /address of this machine/)
    assert.equal(server.connections.length, 0)
    net.haraka.setRoutes({ 'routed.test': { exchange: server.name, port: server.port } })
    assert.equal((await sendTo(net, 'routed.test')).fate, 'delivered')
    assertNothingInClear(server)
  })
})

describe('the list of hosts without TLS in Redis', () => {
  test('is said at WARN to have no effect, and is neither read nor written', async (t) => {
    const heard: string[] = []
    const redis = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', (bytes) => {
        const commands = bytes.toString().split(/(?=^\*\d+\r\n)/m)
        heard.push(...commands)
        socket.write('$2\r\nOK\r\n'.repeat(commands.length))
      })
    }).listen(0, '127.0.0.1')
    await once(redis, 'listening')
    t.after(() => redis.close())
    const address = redis.address()
    assert.ok(typeof address === 'object' && address !== null)
    const config = {
      'tls.ini': '[redis]\ndisable_for_failed_hosts=true\n',
      'redis.ini': `[server]\nhost=127.0.0.1\nport=${address.port}\n`,
    }
    const net = await privateInternet(t, { haraka: { tls: true, config } })
    net.domain('breaks.test')
    const server = net.server('mx1.breaks.test', { handshake: 'alert' })
    assert.equal((await sendTo(net, 'breaks.test')).fate, 'delivered')
    server.behave({ handshake: 'normal' })
    assert.equal((await sendTo(net, 'breaks.test')).outcome.delivered[0]?.secured, true)
    assert.deepEqual(
      heard.filter((command) => command.includes('no_tls')),
      [],
    )
    assert.match((await logged(net, 'disable_for_failed_hosts = true: has no effect'))[0] ?? '', /\[WARN\]/)
  })
})
