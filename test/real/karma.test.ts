/**
 * Beside the real haraka-plugin-karma on a real Redis, which turns the denials of other plugins into "go on".
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { freePort, privateInternet, type PrivateInternet } from '../internet/index.ts'
import { assertNothingInClear } from '../internet/mail-server.ts'
import { startServer, type ServerProcess } from './process.ts'
import { needTool, skipWithout } from './tools.ts'

describe('beside karma', { skip: skipWithout('redis-server') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  let port: number
  let redis: ServerProcess

  before(async () => {
    port = await freePort()
    const options = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' }
    const parameters = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
    redis = await startServer(needTool('redis-server'), parameters, /Ready to accept connections/)
  })
  after(async () => {
    await redis.stop()
    rmSync(folder, { recursive: true })
  })

  const internetWith = (t: TestContext, plugins: readonly string[]): Promise<PrivateInternet> => {
    const endpoint = { host: '127.0.0.1', port }
    const config = {
      'redis.ini': { server: endpoint, pubsub: endpoint },
      'karma.ini': { redis: { ...endpoint, db: 1 } },
    }
    return privateInternet(t, {
      haraka: { plugins: ['redis', 'karma', 'trouble', ...plugins], mxPort: 'smtp', config },
    })
  }

  test('without this plugin a denial of get_mx comes to nothing: the mail is delivered', async (t) => {
    const net = await internetWith(t, [])
    net.domain('example.test', { signed: true })
    net.server('mx1.example.test', { tlsa: '3 1 1 of other', offersTls: false })
    net.haraka.setTrouble({ hook: 'get_mx', does: { answers: 'deny' } })

    await net.haraka.send({ to: 'someone@example.test' })
    assert.equal((await net.server('mx1.example.test').nextMessage()).tls, false)
  })

  for (const answers of ['deny', 'denysoft'] as const) {
    test(`D13: with this plugin mail still goes to none but who matches its TLSA records, whoever answers ${answers}`, async (t) => {
      const net = await internetWith(t, ['outbound-tls'])
      net.domain('example.test', { signed: true, mx: ['mx1', 'mx2'] })
      net.server('mx1.example.test', { tlsa: '3 1 1 of other' })
      net.server('mx2.example.test', { tlsa: '3 1 1', offersTls: false })
      net.haraka.setTrouble({ hook: 'get_mx', does: { answers } })

      const { deferred } = await net.haraka.send({ to: 'someone@example.test' })
      assert.equal(deferred.length, 1)
      for (const name of ['mx1.example.test', 'mx2.example.test']) {
        const server = net.server(name)
        assert.deepEqual(server.messages, [])
        assertNothingInClear(server)
        assert.ok(server.commands.includes('EHLO'), 'core went on, as karma told it')
      }
    })
  }

  test('D13: a host that matches its TLSA records gets the mail, and karma has its say about it', async (t) => {
    const net = await internetWith(t, ['outbound-tls'])
    net.domain('example.test', { signed: true })
    net.server('mx1.example.test', { tlsa: '3 1 1' })

    await net.haraka.send({ to: 'someone@example.test' })
    assert.equal((await net.server('mx1.example.test').nextMessage()).tls, true)
    assert.ok(net.haraka.log.find(/\[karma\]/).length > 0, net.haraka.log.tail())
  })
})
