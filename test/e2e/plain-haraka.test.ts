import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, privateInternet, reset, sharedInternet } from '../internet/index.ts'
import { harakaVersions } from './haraka.ts'

/** The ground itself, without the plugin under test: what core makes of it. */
const plain = { plugins: ['static-routes', 'trouble', 'lenient'] }

for (const version of harakaVersions) {
  describe(`a plain Haraka ${version} in the private internet`, () => {
    const net = sharedInternet({ haraka: { ...plain, version, mxPort: 'smtp' } })

    test('delivers over TLS to the most preferred host', async () => {
      net.domain('example.test', { mx: ['mx1', 'mx2'] })
      const { delivered } = await net.haraka.send({ to: ['one@example.test', 'two@example.test'] })
      assert.equal(delivered[0]?.secured, true)
      const message = await net.server('mx1.example.test').nextMessage()
      assert.deepEqual(message.to, ['one@example.test', 'two@example.test'])
      assert.match(message.data, /^Hello\.$/m)
      assert.deepEqual(net.server('mx2.example.test').commands, [])
      assertNothingInClear(net.server('mx1.example.test'))
    })

    test('goes on to the next host, defers, and tries again when told to', async () => {
      net.domain('broken.test', { mx: ['mx1', 'mx2'] })
      net.server('mx1.broken.test', { handshake: 'reset-after-client-hello' })
      net.server('mx2.broken.test', { greeting: reset })
      const first = await net.haraka.send({ to: 'one@broken.test' })
      assert.equal(first.deferred[0]?.error, 'Tried all MXs')
      assert.equal(first.recipients['one@broken.test']?.status, '5.1.2')
      net.server('mx1.broken.test', {})
      const second = await net.haraka.retry(first)
      assert.equal(second.recipients['one@broken.test']?.fate, 'delivered')
    })

    test('sorts recipients by what became of them', async () => {
      net.domain('mixed.test')
      net.server('mx1.mixed.test', { rcpt: { 'no@mixed.test': '550 5.1.1 no', 'late@mixed.test': '451 4.2.0 later' } })
      const { recipients } = await net.haraka.send({ to: ['yes@mixed.test', 'no@mixed.test', 'late@mixed.test'] })
      const fates = Object.fromEntries(Object.values(recipients).map(({ address, fate }) => [address, fate]))
      assert.deepEqual(fates, {
        'yes@mixed.test': 'delivered',
        'no@mixed.test': 'bounced',
        'late@mixed.test': 'deferred',
      })
      assert.ok(net.haraka.queueFiles().length > 0)
    })

    test('bounces to the sender when there are no attempts left', async () => {
      net.domain('down.test', { mx: [] })
      net.domain('author.test')
      await net.haraka.setIntervals([])
      const { bounced } = await net.haraka.send({ from: 'me@author.test', to: 'you@down.test' })
      await net.haraka.setIntervals([3600])
      assert.ok(bounced.length > 0)
      assert.match((await net.server('mx1.author.test').nextMessage()).data, /Final-Recipient: rfc822;you@down\.test/)
    })

    test('takes routes of another plugin, with credentials, over LMTP, one after the other', async () => {
      const relay = net.server('relay.test', { offersAuth: 'on-tls' })
      const store = net.server('store.test', { lmtp: true, offersTls: false })
      const { address, port } = relay
      net.haraka.setRoutes({
        'routed.test': [
          { exchange: '127.0.0.1', port: 1 },
          { exchange: address, port, auth_user: 'me', auth_pass: 'secret' },
        ],
        'stored.test': { exchange: store.address, port: store.port, using_lmtp: true },
      })
      const { delivered } = await net.haraka.send({ to: ['one@routed.test', 'two@stored.test'] })
      assert.deepEqual(delivered.map(({ mode, authenticated }) => `${mode} ${authenticated}`).sort(), [
        'LMTP false',
        'SMTP true',
      ])
      assert.ok(relay.commands.includes('AUTH'))
      assert.equal(store.commands[0], 'LHLO')
    })

    test("is talked out of another plugin's denial, and out of its exception", async () => {
      for (const does of ['throw', { answers: 'denysoft', value: 'not now' }] as const) {
        net.domain('denied.test')
        net.haraka.setTrouble({ hook: 'get_mx', domain: 'denied.test', does })
        const { delivered } = await net.haraka.send({ to: 'one@denied.test' })
        assert.equal(delivered.length, 1)
      }
      net.haraka.setTrouble()
    })

    test('reads its configuration again at once', async () => {
      assert.equal(
        await net.haraka.reconfigure('outbound.ini', { main: { temp_fail_intervals: 'none', local_mx_ok: true } }),
        true,
      )
      net.domain('gone.test')
      net.server('mx1.gone.test', { greeting: reset })
      const { bounced } = await net.haraka.send({ to: 'one@gone.test' })
      assert.match(bounced[0]?.error ?? '', /Too many failures/)
    })
  })
}

describe('a plain Haraka of its own', () => {
  test('delivers after a restart what waited before it', async (t) => {
    const net = await privateInternet(t, { haraka: { ...plain, mxPort: 'smtp' } })
    net.domain('example.test')
    net.server('mx1.example.test', { greeting: '421 later' })
    const { uuid } = await net.haraka.send({ to: 'one@example.test' })
    net.server('mx1.example.test', {})
    await net.haraka.restart('SIGKILL')
    await net.haraka.flush()
    assert.equal((await net.haraka.settled({ uuid, to: ['one@example.test'] })).delivered.length, 1)
  })

  test('works with several workers', async (t) => {
    const net = await privateInternet(t, { haraka: { ...plain, mxPort: 'smtp', nodes: 2 } })
    net.domain('example.test')
    net.server('mx1.example.test', { mail: '451 4.3.0 later' })
    const outcome = await net.haraka.send({ to: 'one@example.test' })
    assert.equal(outcome.deferred.length, 1)
    net.server('mx1.example.test', {})
    assert.equal((await net.haraka.retry(outcome)).delivered.length, 1)
    assert.equal((await net.haraka.queue()).length, 2)
  })

  test('listens to clients over TLS', async (t) => {
    const net = await privateInternet(t, { haraka: { ...plain, mxPort: 'smtp', tls: true } })
    net.domain('example.test')
    const { capabilities } = await net.haraka.submit({ to: 'one@example.test', tls: true })
    assert.ok(capabilities.includes('PIPELINING'))
    await net.server('mx1.example.test').nextMessage()
  })
})
