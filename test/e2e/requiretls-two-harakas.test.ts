import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import type { Message } from '../internet/mail-session.ts'
import { harakaVersions, startHaraka, type Haraka } from './haraka.ts'
import { assertDeferred, fateIn, sendTo, type Fate } from './telling.ts'

const settings = { main: { requiretls: true } }
const requiring = { tls: true, parameters: ['REQUIRETLS'] } as const

/** Mail for this domain goes to the second Haraka, which has a route for it to a host of its own. */
const DOMAIN = 'chain.test'
const RELAY = 'mx1.chain.test'
const LAST = 'last.chain.test'

for (const version of harakaVersions)
  describe(`from Haraka to Haraka, version ${version}`, () => {
    const net = sharedInternet({ settings, haraka: { version, tls: true } })
    let second: Haraka

    /** @param offered - by the second Haraka, which is not told about it when it is not */
    const startSecond = async (requiretls: boolean, tls = true): Promise<Haraka> => {
      const identity = net.certificates.identity(RELAY, 'leaf')
      const started = await startHaraka({
        version,
        resolver: net.dns.endpoint,
        plugins: [...(tls ? ['tls'] : []), 'static-routes', 'outbound-tls'],
        smtp: { main: { listen: `${net.server(RELAY).address}:${net.smtpPort}` } },
        config: {
          me: `${RELAY}\n`,
          'outbound-tls.ini': net.settings({ main: { requiretls } }),
          'private-root.pem': net.certificates.caPem,
          'tls_key.pem': identity.key,
          'tls_cert.pem': identity.cert,
        },
      })
      started.setRoutes({ [DOMAIN]: [{ exchange: LAST, port: net.smtpPort }] })
      return started
    }
    before(async () => {
      net.domain(DOMAIN, { signed: true })
      await net.ready()
      await net.server(RELAY).stop() // its place is the second Haraka's
      second = await startSecond(true)
    })
    after(() => second.stop())

    const last = () => net.server(LAST, { capabilitiesOnTls: ['REQUIRETLS'] })
    const send = (submission = {}): Promise<Fate> => sendTo(net, DOMAIN, submission)
    const next = async (): Promise<Message> => net.server(LAST).nextMessage()

    test('Q1, Q2: REQUIRETLS is offered, accepted and carried on to the last host', async () => {
      const server = last()
      assert.equal((await send(requiring)).fate, 'delivered')
      const message = await next()
      assert.deepEqual([message.parameters, message.tls], [['REQUIRETLS'], true])
      assertNothingInClear(server)
    })

    test('a message without it comes through without it', async () => {
      last()
      assert.equal((await send({ tls: true })).fate, 'delivered')
      assert.deepEqual((await next()).parameters, [])
    })

    test('Q2: it is carried on behind a restart in between, and a retry', async () => {
      const server = last()
      server.behave({ rcpt: '450 4.2.1 later' })
      assert.equal((await send(requiring)).fate, 'delivered')
      await second.log.waitFor(/later/)
      await second.restart()
      server.behave({ rcpt: '250 ok' })
      assert.ok(await second.flush())
      assert.deepEqual((await next()).parameters, ['REQUIRETLS'])
    })

    test('Q4, Q6: the second one cannot keep the promise: the author hears of it, over TLS', async () => {
      net.domain('author.test', { signed: true })
      net.server('mx1.author.test', { capabilitiesOnTls: ['REQUIRETLS'] })
      net.server(LAST, {}) // without REQUIRETLS
      assert.equal((await send({ ...requiring, from: 'me@author.test' })).fate, 'delivered')
      const bounce = await net.server('mx1.author.test').nextMessage()
      assert.deepEqual([bounce.from, bounce.parameters], ['', ['REQUIRETLS']])
      assert.match(bounce.data, /^Status: 5\.7\.30/m)
      assert.deepEqual(net.server(LAST).messages, [])
    })

    test('Q7: TLS-Required: No is carried on in the header, and heeded by both', async () => {
      net.server(LAST, { certificate: 'foreign', tlsa: '3 1 1 of other', signed: true })
      assert.equal((await send({ headers: { 'TLS-Required': 'No' } })).fate, 'delivered')
      assert.match((await next()).data, /^TLS-Required: No/m)
    })

    test('Q4: the second one does not offer it: 5.7.30, and it hears of no message', async () => {
      assert.ok(await second.reconfigure('outbound-tls.ini', net.settings({ main: { requiretls: false } })))
      const { fate, recipient } = await send(requiring)
      assert.deepEqual([fate, recipient.status], ['bounced', '5.7.30'])
      assert.equal((await send()).fate, 'delivered')
      assert.ok(await second.reconfigure('outbound-tls.ini', net.settings({ main: { requiretls: true } })))
    })

    test('Q4: the second one has no TLS: 5.7.10', async () => {
      await second.stop()
      second = await startSecond(true, false)
      const { fate, recipient } = await send(requiring)
      assert.deepEqual([fate, recipient.status], ['bounced', '5.7.10'])
    })

    test('the second one is away: the message waits, and goes with REQUIRETLS when it is back', async () => {
      await second.stop()
      const away = await send(requiring)
      assertDeferred(away, '4.4.1')
      second = await startSecond(true)
      last()
      assert.equal(fateIn(await net.haraka.retry(away.outcome)).fate, 'delivered')
      assert.deepEqual((await next()).parameters, ['REQUIRETLS'])
    })
  })
