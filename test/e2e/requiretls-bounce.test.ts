import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { Message } from '../internet/mail-session.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { domainNames, fatesOf } from './far-end.ts'
import { harakaVersions } from './haraka.ts'
import { assertLogged, sendTo } from './telling.ts'

const fit: ServerOptions = { capabilitiesOnTls: ['REQUIRETLS'] }
const requiring = { tls: true, parameters: ['REQUIRETLS'] } as const

for (const version of harakaVersions)
  describe(`the bounce of a message with REQUIRETLS (Q6), Haraka ${version}`, () => {
    const net = sharedInternet({
      settings: { main: { requiretls: true } },
      haraka: { version, tls: true, plugins: ['outbound-tls', 'trouble'] },
    })
    const newDomain = domainNames('bounce')

    /** A signed domain whose host behaves as told. */
    const declare = (behaviour: ServerOptions): string => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      net.server(`mx1.${domain}`, behaviour)
      return domain
    }
    const bounceTo = (domain: string): Promise<Message> => net.server(`mx1.${domain}`).nextMessage()

    test('requires TLS, too, and has the header only', async () => {
      const [author, gone] = [declare(fit), declare({})]
      const data = `From: <me@${author}>\nSubject: Secret\n\nThe body of it.\n`
      const parameters = ['RET=FULL', 'REQUIRETLS', 'ENVID=1'] // RET=FULL is disregarded
      const { fate } = await sendTo(net, gone, { tls: true, parameters, from: `me@${author}`, data })
      assert.equal(fate, 'bounced')

      const bounce = await bounceTo(author)
      assert.deepEqual([bounce.from, bounce.to, bounce.parameters], ['', [`me@${author}`], ['REQUIRETLS']])
      assert.ok(bounce.tls)
      assert.match(bounce.data, /Content-Type: text\/rfc822-headers[^]*^Subject: Secret/m)
      assert.match(bounce.data, /^Status: 5\.7\.30/m)
      assert.match(bounce.data, /^Action: failed/m)
      assert.doesNotMatch(bounce.data, /The body of it/)
    })

    test('requires it whatever made the message bounce', async () => {
      const [author, refusing] = [declare(fit), declare({ ...fit, rcpt: '550 5.1.1 nobody' })]
      await sendTo(net, refusing, { ...requiring, from: `me@${author}` })
      assert.deepEqual((await bounceTo(author)).parameters, ['REQUIRETLS'])
    })

    test('requires it for some recipients of the message, when others got it', async () => {
      const author = declare(fit)
      const domain = newDomain()
      net.domain(domain, { signed: true })
      const bad = `bad@${domain}`
      net.server(`mx1.${domain}`, { ...fit, rcpt: { [bad]: '550 5.1.1 nobody' } })
      const outcome = await net.haraka.send({ ...requiring, from: `me@${author}`, to: [`good@${domain}`, bad] })
      const fates = fatesOf(outcome)
      assert.equal(fates[`good@${domain}`], 'delivered')
      assert.match(fates[bad] ?? '', /^bounced/)
      assert.deepEqual((await bounceTo(author)).parameters, ['REQUIRETLS'])
    })

    test('goes without it to an author whose host cannot take it with', async () => {
      const [author, gone] = [declare({}), declare({})]
      await sendTo(net, gone, { ...requiring, from: `me@${author}` })
      assert.deepEqual((await bounceTo(author)).parameters, [])
      await assertLogged(net, author, 'a bounce is not lost for that')
    })

    test('is not made where another plugin says so', async () => {
      const [author, gone] = [declare(fit), declare({})]
      net.haraka.setTrouble({ hook: 'bounce', domain: gone, does: { answers: 'ok' } })
      assert.equal((await sendTo(net, gone, { ...requiring, from: `me@${author}` })).fate, 'bounced')
      await assertLogged(net, 'Not sending bounce')
      net.haraka.setTrouble()
      assert.deepEqual(net.server(`mx1.${author}`).connections, [])
    })

    test('is as ever where the message did not require TLS', async () => {
      const [author, refusing] = [declare(fit), declare({ rcpt: '550 5.1.1 nobody' })]
      await sendTo(net, refusing, { from: `me@${author}` })
      assert.deepEqual((await bounceTo(author)).parameters, [])
    })

    test('leaves nothing in the queue', async () => {
      await net.haraka.queueIsEmpty()
    })
  })
