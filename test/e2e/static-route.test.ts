import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import { createMailServer } from '../internet/mail-server.ts'
import { assertDeferred, assertLogged, loggedNow, sendTo } from './telling.ts'

const settings = {
  'rule:routes': {
    'if-route': 'static',
    'if-mx': ['*.proved.test'],
    'allow-invalid-certs': false,
    reason: 'our relays',
  },
  'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' },
  'rule:in-clear': { 'if-mx': ['old-relay.test'], starttls: 'disable', reason: 'too old' },
  'rule:audit': { 'if-mx': ['audited.test'], audit: true },
}
const login = { auth_user: 'me', auth_pass: 'secret' }

describe('a host that another plugin names', () => {
  const net = sharedInternet({ settings, haraka: { plugins: ['static-routes', 'outbound-tls', 'lenient'] } })

  /** The route to a domain: host names, or what a plugin answers. */
  const route = (domain: string, ...hosts: readonly object[]): void => {
    net.haraka.setRoutes({ [domain]: hosts.map((host) => ({ port: net.smtpPort, ...host })) })
  }

  test('by its name gets STARTTLS where it offers it; a name that nobody has to prove is not proved', async () => {
    const relay = net.server('relay.test', { certificate: 'self-signed' })
    route('named.test', { exchange: 'relay.test' })
    assert.equal((await sendTo(net, 'named.test')).fate, 'delivered')
    assertNothingInClear(relay)
    assert.equal(net.dns.asked('named.test'), 0)
    await assertLogged(net, 'Untrusted TLS connection to relay.test[', 'accepted: static-route')
    await assertLogged(net, 'outcome for relay.test at relay.test', 'no-policy-found relay.test')
  })

  test('by its address gets STARTTLS, too, without SNI', async () => {
    const relay = net.server('address.test', { certificate: 'foreign' })
    route('by-address.test', { exchange: relay.address })
    assert.equal((await sendTo(net, 'by-address.test')).fate, 'delivered')
    assertNothingInClear(relay)
    assert.equal(relay.connections[0]?.tls?.servername, undefined)
  })

  test('as "host:port" is connected to there', async () => {
    const relay = net.server('text.test', {})
    net.haraka.setRoutes({ 'as-text.test': `${relay.address}:${net.smtpPort}` })
    assert.equal((await sendTo(net, 'as-text.test')).fate, 'delivered')
    assertNothingInClear(relay)
  })

  test('is one of several, in their order', async () => {
    const hosts = ['one.several.test', 'two.several.test', 'three.several.test'].map((name) => net.server(name, {}))
    net.server('one.several.test', { greeting: '554 no' })
    net.server('two.several.test', { handshake: 'alert' })
    route('ordered.required.test', ...hosts.map(({ name }) => ({ exchange: name })))
    assert.equal((await sendTo(net, 'ordered.required.test')).fate, 'delivered')
    for (const host of hosts) assertNothingInClear(host)
    assert.equal(hosts[2]?.messages.length, 1)
  })

  test('without STARTTLS gets the message in clear text, unless a rule requires TLS', async () => {
    const relay = net.server('plain-relay.test', { offersTls: false })
    route('clear.test', { exchange: relay.name })
    assert.equal((await sendTo(net, 'clear.test')).fate, 'delivered')
    relay.forget()
    route('clear.required.test', { exchange: relay.name })
    assertDeferred(await sendTo(net, 'clear.required.test'), '4.7.4', /rule:required/)
    assertNothingInClear(relay)
  })

  test('D30: with secure TLSA records must match them', async () => {
    const right = net.server('right.test', { certificate: 'self-signed', tlsa: '3 1 1', signed: true })
    const wrong = net.server('wrong.test', { tlsa: '3 1 1 of other', signed: true })
    route('dane-routed.test', { exchange: wrong.name }, { exchange: right.name })
    assert.equal((await sendTo(net, 'dane-routed.test')).fate, 'delivered')
    for (const host of [right, wrong]) assertNothingInClear(host)
    assert.equal(right.messages.length, 1)
    await assertLogged(net, 'Verified TLS connection to right.test', 'matched DANE-EE 3 1 1')
  })

  test('must prove its name where a rule with if-route = static asks for it', async () => {
    const bad = net.server('bad.proved.test', { certificate: 'other-name' })
    const good = net.server('good.proved.test', {})
    route('rule.test', { exchange: bad.name }, { exchange: good.name })
    assert.equal((await sendTo(net, 'rule.test')).fate, 'delivered')
    assert.equal(good.messages.length, 1)
    for (const host of [bad, good]) assertNothingInClear(host)
  })

  describe('with credentials', () => {
    const commandsOf = (name: string): readonly string[] => net.server(name).commands
    const assertNoCredentials = (name: string): void => {
      assert.ok(!commandsOf(name).includes('AUTH'))
      assertNothingInClear(net.server(name))
    }

    test('RFC 4954 4: never gets them without STARTTLS', async () => {
      net.server('naked.test', { offersTls: false, offersAuth: 'always' })
      route('auth-naked.test', { exchange: 'naked.test', ...login })
      assertDeferred(await sendTo(net, 'auth-naked.test'), '4.7.4', /credentials/)
      assertNoCredentials('naked.test')
    })

    test('RFC 4954 4: never gets them in clear text because of a path that is none', async () => {
      for (const [index, path] of [null, '', false, 0].entries()) {
        const relay = net.server(`no-path${index}.test`, { offersTls: false, offersAuth: 'always' })
        route(`no-path${index}.required.test`, { exchange: relay.address, path, ...login })
        assertDeferred(await sendTo(net, `no-path${index}.required.test`), '4.7.4', /credentials/)
        assertNoCredentials(relay.name)
      }
    })

    test('that are numbers sends them as texts', async () => {
      net.server('numbers.test', { offersAuth: 'on-tls' })
      route('auth-numbers.test', { exchange: 'numbers.test', auth_user: 4711, auth_pass: 815, auth_type: 'LOGIN' })
      await sendTo(net, 'auth-numbers.test')
      net.domain('still-there.test')
      assert.equal((await sendTo(net, 'still-there.test')).fate, 'delivered', 'Haraka goes on')
    })

    test('RFC 4954 4: never gets them where STARTTLS was refused, or the handshake failed', async () => {
      net.server('refuses.test', { starttls: '454 no', offersAuth: 'always' })
      net.server('breaks.test', { handshake: 'alert', offersAuth: 'always' })
      route('auth-broken.test', ...['refuses.test', 'breaks.test'].map((exchange) => ({ exchange, ...login })))
      assertDeferred(await sendTo(net, 'auth-broken.test'), '4.7.5')
      assertNoCredentials('refuses.test')
      assertNoCredentials('breaks.test')
    })

    test('RFC 4954 4: never gets them with a certificate that proves nothing, and is never relaxed', async () => {
      net.server('self.test', { certificate: 'self-signed', offersAuth: 'always' })
      route('auth-self.test', { exchange: 'self.test', ...login })
      const first = await sendTo(net, 'auth-self.test')
      assertDeferred(first, '4.7.5', /certificate of self\.test does not validate/)
      await net.haraka.retry(first.outcome)
      assert.deepEqual(commandsOf('self.test'), ['EHLO', 'STARTTLS', 'EHLO', 'STARTTLS'])
      assertNoCredentials('self.test')
    })

    test('RFC 4954 4: never gets them in an audit, either', async () => {
      net.server('audited.test', { offersTls: false, offersAuth: 'always' })
      route('auth-audit.test', { exchange: 'audited.test', ...login })
      assertDeferred(await sendTo(net, 'auth-audit.test'), '4.7.4', /credentials/)
      assertNoCredentials('audited.test')
    })

    test('gets them over TLS, when its certificate is valid under ca-file', async () => {
      const relay = net.server('submission.test', { offersAuth: 'on-tls' })
      route('auth.test', { exchange: relay.name, ...login })
      const { outcome } = await sendTo(net, 'auth.test')
      assert.equal(outcome.delivered[0]?.authenticated, true)
      assert.deepEqual(relay.commands, ['EHLO', 'STARTTLS', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
      assertNothingInClear(relay)
    })

    test('gets them over TLS when TLSA records prove it', async () => {
      const relay = net.server('dane-relay.test', {
        certificate: 'self-signed',
        tlsa: '3 1 1',
        signed: true,
        offersAuth: 'on-tls',
      })
      route('auth-dane.test', { exchange: relay.name, ...login })
      assert.equal((await sendTo(net, 'auth-dane.test')).outcome.delivered[0]?.authenticated, true)
      assertNothingInClear(relay)
    })

    test('gets them in clear text where a rule for it says starttls = disable', async () => {
      const relay = net.server('old-relay.test', { offersAuth: 'always' })
      route('auth-clear.test', { exchange: relay.name, ...login })
      assert.equal((await sendTo(net, 'auth-clear.test')).outcome.delivered[0]?.authenticated, true)
      assert.deepEqual(relay.commands, ['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    })
  })

  describe('over LMTP', () => {
    test('on loopback is left alone', async () => {
      const store = net.server('loopback-store.test', { lmtp: true, offersTls: false })
      route('loopback.required.test', { exchange: store.address, using_lmtp: true })
      const { outcome } = await sendTo(net, 'loopback.required.test')
      assert.equal(outcome.delivered[0]?.mode, 'LMTP')
      assert.deepEqual(store.commands.slice(0, 2), ['LHLO', 'MAIL'])
      assert.deepEqual(loggedNow(net, 'outcome for loopback'), [])
    })

    test('on a Unix socket is left alone', async (t) => {
      const path = join(net.haraka.folder, 'lmtp.sock')
      const identity = net.certificates.identity('socket.test', 'leaf')
      const store = createMailServer({ path }, { name: 'socket.test', identity, lmtp: true, offersTls: false })
      t.after(() => store.stop())
      await store.ready
      net.haraka.setRoutes({ 'socket.required.test': { path, using_lmtp: true } })
      assert.equal((await sendTo(net, 'socket.required.test')).fate, 'delivered')
      assert.deepEqual(store.commands.slice(0, 2), ['LHLO', 'MAIL'])
    })

    test('elsewhere gets STARTTLS like any host', async () => {
      const store = net.server('store.test', { lmtp: true })
      route('far.required.test', { exchange: store.name, using_lmtp: true })
      const { outcome } = await sendTo(net, 'far.required.test')
      assert.equal(outcome.delivered[0]?.mode, 'LMTP')
      assert.deepEqual(store.commands.slice(0, 4), ['LHLO', 'STARTTLS', 'LHLO', 'MAIL'])
      assertNothingInClear(store)
    })

    test('elsewhere gets nothing without STARTTLS, where it is required', async () => {
      const store = net.server('plain-store.test', { lmtp: true, offersTls: false })
      route('far-plain.required.test', { exchange: store.name, using_lmtp: true })
      assertDeferred(await sendTo(net, 'far-plain.required.test'), '4.7.4')
      assertNothingInClear(store)
    })

    test('each recipient has its own fate', async () => {
      const store = net.server('fates.test', {
        lmtp: true,
        message: { 'no@lmtp.test': '550 5.2.2 full', 'late@lmtp.test': '451 4.2.0 later' },
      })
      route('lmtp.test', { exchange: store.name, using_lmtp: true })
      // core takes the first recipients for those that were refused, so here they are
      const { recipients } = await net.haraka.send({ to: ['no@lmtp.test', 'late@lmtp.test', 'yes@lmtp.test'] })
      const fates = ['no', 'late', 'yes'].map((user) => recipients[`${user}@lmtp.test`]?.fate)
      assert.deepEqual(fates, ['bounced', 'deferred', 'delivered'])
      assertNothingInClear(store)
    })
  })

  for (const [what, answer] of Object.entries({
    'a local address that is none': { exchange: '127.0.0.1', bind: 'mail.origin.test' },
    'a list of nothing': [null],
  })) {
    test(`that is ${what} leaves the message waiting, and Haraka running`, async () => {
      const since = net.haraka.log.lines.length
      net.haraka.setRoutes({ 'impossible.test': answer })
      assertDeferred(await sendTo(net, 'impossible.test'), '4.7.5', /the delivery failed within this server/)
      await net.haraka.log.waitFor(/\[CRIT\].*delivery to impossible\.test failed/, { since })
      while (!(await net.haraka.queue()).join().startsWith('0/0/')) await sleep(20)
    })
  }

  test('that is a port that does not exist leaves the message waiting, and says why', async () => {
    net.haraka.setRoutes({ 'no-port.test': { exchange: '127.0.0.1', port: 70_000 } })
    assertDeferred(await sendTo(net, 'no-port.test'), '4.4.1', /hook get_mx cannot be used: its port is not a port/)
  })

  test('that says null MX bounces the message (RFC 7505)', async () => {
    net.haraka.setRoutes({ 'null.test': [{ exchange: '', priority: 0 }] })
    const { fate, recipient } = await sendTo(net, 'null.test')
    assert.equal(fate, 'bounced')
    assert.equal(recipient.status, '5.1.10')
  })
})
