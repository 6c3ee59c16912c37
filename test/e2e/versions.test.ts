import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { assertNothingInClear, privateInternet, sharedInternet } from '../internet/index.ts'
import { createInstance } from './instance.ts'
import { repository } from './package.ts'
import { assertDeferred, assertLogged, sendTo } from './telling.ts'

const run = promisify(execFile)
const file = 'outbound-tls.ini'
const settings = {
  'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' },
}

for (const version of ['3.0', '3.1'] as const) {
  describe(`Haraka ${version}`, () => {
    const net = sharedInternet({ settings, haraka: { version, plugins: ['static-routes', 'outbound-tls', 'lenient'] } })

    test('D13: delivers to the host whose certificate matches its TLSA records, and not to the one before it', async () => {
      net.domain('dane.test', { mx: ['mx1', 'mx2'], signed: true })
      const wrong = net.server('mx1.dane.test', { tlsa: '3 1 1 of other' })
      const right = net.server('mx2.dane.test', { tlsa: '3 1 1', certificate: 'self-signed' })
      const { outcome } = await sendTo(net, 'dane.test')
      assert.equal(outcome.delivered[0]?.secured, true)
      assert.deepEqual(wrong.commands, ['EHLO', 'STARTTLS'])
      assert.equal(right.messages.length, 1)
      for (const server of [wrong, right]) assertNothingInClear(server)
      await assertLogged(net, 'Verified TLS connection to mx2.dane.test', 'matched DANE-EE 3 1 1')
    })

    for (const [name, behaviour, status] of [
      ['no STARTTLS', { offersTls: false }, '4.7.4'],
      ['454 to STARTTLS', { starttls: '454 4.7.0 no' }, '4.7.4'],
      ['a reset in the handshake', { handshake: 'reset-after-client-hello' }, '4.7.5'],
      ['a certificate nobody trusts', { certificate: 'foreign' }, '4.7.5'],
      ['500 to EHLO', { ehlo: '500 what?' }, '4.4.2'],
      ['an injection', { starttls: { send: '220 go\r\n250 ok\r\n' } }, '4.7.5'],
    ] as const) {
      test(`refuses a host with ${name} where TLS is required`, async () => {
        const domain = `${name.replaceAll(' ', '-').toLowerCase()}.required.test`
        net.domain(domain)
        const server = net.server(`mx1.${domain}`, behaviour)
        assertDeferred(await sendTo(net, domain), status)
        assertNothingInClear(server)
        assert.deepEqual(server.messages, [])
      })
    }

    test('D15: goes on in clear text where TLS is optional', async () => {
      net.domain('plain.test')
      net.server('mx1.plain.test', { starttls: '454 no' })
      const { outcome } = await sendTo(net, 'plain.test')
      assert.equal(outcome.delivered[0]?.secured, false)
      net.domain('fallback.test')
      const server = net.server('mx1.fallback.test', { handshake: 'alert' })
      assert.equal((await sendTo(net, 'fallback.test')).fate, 'delivered')
      assert.equal(server.connections.length, 2)
    })

    test('RFC 4954 4: never sends credentials in clear text', async () => {
      const login = { auth_user: 'me', auth_pass: 'secret', port: net.smtpPort }
      const naked = net.server('naked.test', { offersTls: false, offersAuth: 'always' })
      const relay = net.server('relay.test', { offersAuth: 'on-tls' })
      net.haraka.setRoutes({ 'routed.test': [naked, relay].map(({ name }) => ({ exchange: name, ...login })) })
      assert.equal((await sendTo(net, 'routed.test')).outcome.delivered[0]?.authenticated, true)
      for (const server of [naked, relay]) assertNothingInClear(server)
    })

    test('keeps its settings at a reload that is broken, and takes good ones', async () => {
      await net.haraka.reconfigure(file, net.settings({ main: { dane: 'maybe' } }))
      await net.haraka.log.waitFor(/\[CRIT\].*the last good settings stay in force/)
      net.domain('kept.required.test')
      net.server('mx1.kept.required.test', { offersTls: false })
      assertDeferred(await sendTo(net, 'kept.required.test'), '4.7.4')
      await net.haraka.reconfigure(file, net.settings({ 'rule:required': { starttls: 'optional' } }))
      assert.equal((await sendTo(net, 'kept.required.test')).fate, 'delivered')
      await net.haraka.reconfigure(file, net.settings())
    })

    test('names the hosts and the reasons in the bounce', async () => {
      net.domain('author.test')
      net.domain('gone.required.test', { mx: ['mx1', 'mx2'] })
      net.server('mx1.gone.required.test', { offersTls: false })
      net.server('mx2.gone.required.test', { certificate: 'expired' })
      await net.haraka.setIntervals([])
      const { fate } = await sendTo(net, 'gone.required.test', { from: 'me@author.test' })
      await net.haraka.setIntervals([3600])
      assert.equal(fate, 'bounced')
      const { data } = await net.server('mx1.author.test').nextMessage()
      const unfolded = data.replace(/\r\n[ \t]+/g, ' ')
      assert.match(unfolded, /mx1\.gone\.required\.test.*STARTTLS is not offered/)
      assert.match(unfolded, /mx2\.gone\.required\.test.*does not validate/)
      assert.match(unfolded, /^Status: 5\.7\.[45]/m)
      for (const host of ['mx1', 'mx2']) assertNothingInClear(net.server(`${host}.gone.required.test`))
    })
  })

  test(`Haraka ${version} does not start with a broken configuration`, async () => {
    const starting = privateInternet(undefined, { haraka: { version }, settings: { main: { dane: 'maybe' } } })
    await assert.rejects(starting, /outbound-tls\.ini \[main\] dane = "maybe": accepted/)
  })
}

test('on a Node.js that is too old, Haraka does not start, and a clear line says why', async (t) => {
  const candidates = [process.env.OLD_NODE, '/usr/local/bin/node', '/usr/bin/node'].filter((path) => path !== undefined)
  const versions = await Promise.all(candidates.filter((path) => existsSync(path)).map(versionOf))
  const old = versions.find(({ major, minor }) => major < 22 || (major === 22 && minor < 19))
  if (old === undefined) return t.skip('there is no Node.js before 22.19 here; OLD_NODE may name one')

  const core = join(repository, 'node_modules', 'Haraka', 'haraka.js')
  const config = { me: 'haraka.test\n', 'smtp.ini': 'listen=127.0.0.1:0\nnodes=0\n' }
  const instance = await createInstance(['outbound-tls'], config, { core, resolver: '' })
  t.after(() => instance.remove())
  instance.writeConfig('plugins', 'outbound-tls\n') // without those of the test ground, which old ones cannot read
  const starting = run(old.path, [join(core, '..', 'bin', 'haraka'), '-c', instance.folder], { timeout: 20_000 })
  await assert.rejects(starting, ({ stdout, stderr }: { stdout: string; stderr: string }) => {
    const said = `${stdout}\n${stderr}`
    assert.match(said, new RegExp(`needs Node\\.js 22\\.19 or later, this is ${old.major}\\.${old.minor}`), said)
    return true
  })
})

async function versionOf(path: string): Promise<{ path: string; major: number; minor: number }> {
  const { stdout } = await run(path, ['--version'])
  const [major = 0, minor = 0] = stdout.slice(1).split('.').map(Number)
  return { path, major, minor }
}
