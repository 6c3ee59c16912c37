import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { fatesOf } from './far-end.ts'
import { harakaVersions } from './haraka.ts'
import { sendTo } from './telling.ts'

const fit: ServerOptions = { capabilitiesOnTls: ['REQUIRETLS'] }
const later = { rcpt: '450 4.2.1 later' }
const requiring = { tls: true, parameters: ['REQUIRETLS'] } as const

for (const version of harakaVersions)
  describe(`a message with REQUIRETLS in the queue (Q2), Haraka ${version}`, () => {
    const net = sharedInternet({
      settings: { main: { requiretls: true } },
      haraka: { version, tls: true, plugins: ['outbound-tls', 'mediator'] },
    })

    test('goes to all its domains with it', async () => {
      for (const domain of ['one.test', 'two.test']) {
        net.domain(domain, { signed: true })
        net.server(`mx1.${domain}`, fit)
      }
      await net.haraka.send({ ...requiring, to: ['a@one.test', 'b@two.test'] })
      for (const host of ['mx1.one.test', 'mx1.two.test'])
        assert.deepEqual((await net.server(host).nextMessage()).parameters, ['REQUIRETLS'])
    })

    test('is tried again with it', async () => {
      net.domain('again.test', { signed: true })
      const server = net.server('mx1.again.test', { ...fit, ...later })
      const { outcome } = await sendTo(net, 'again.test', requiring)
      server.behave({ rcpt: '250 ok' })
      await net.haraka.retry(outcome)
      assert.deepEqual((await server.nextMessage()).parameters, ['REQUIRETLS'])
    })

    test('is tried again with it for those recipients that were not taken', async () => {
      net.domain('split.test', { signed: true })
      const server = net.server('mx1.split.test', { ...fit, rcpt: { 'b@split.test': '450 4.2.1 later' } })
      const outcome = await net.haraka.send({ ...requiring, to: ['a@split.test', 'b@split.test'] })
      assert.deepEqual(
        Object.values(fatesOf(outcome))
          .map((fate) => fate.split(' ')[0])
          .sort(),
        ['deferred', 'delivered'],
      )
      assert.deepEqual((await server.nextMessage()).to, ['a@split.test'])

      server.behave({ rcpt: '250 ok' })
      await net.haraka.retry(outcome)
      const second = await server.nextMessage()
      assert.deepEqual([second.to, second.parameters], [['b@split.test'], ['REQUIRETLS']])
    })

    test('Q9: has it handed on to the message that a plugin makes of it', async () => {
      for (const domain of ['first.test', 'member.test']) {
        net.domain(domain, { signed: true })
        net.server(`mx1.${domain}`, fit)
      }
      await sendTo(net, 'first.test', { ...requiring, headers: { 'X-Forward': 'one@member.test' } })
      const { data, parameters } = await net.server('mx1.member.test').nextMessage()
      assert.deepEqual(parameters, ['REQUIRETLS'])
      assert.match(data, /^Subject: Forwarded/m)
      await sendTo(net, 'first.test', { headers: { 'X-Forward': 'one@member.test' } })
      assert.deepEqual((await net.server('mx1.member.test').nextMessage()).parameters, [])
    })

    test('is kept to behind a restart, also when REQUIRETLS is no longer offered', async () => {
      net.domain('restart.test', { signed: true })
      const server = net.server('mx1.restart.test', { ...fit, ...later })
      await sendTo(net, 'restart.test', requiring)
      net.haraka.writeConfig('outbound-tls.ini', net.settings({ main: { requiretls: false } }))
      await net.haraka.restart()
      server.behave({ rcpt: '250 ok' })
      assert.ok(await net.haraka.flush())
      assert.deepEqual((await server.nextMessage()).parameters, ['REQUIRETLS'])
    })
  })
