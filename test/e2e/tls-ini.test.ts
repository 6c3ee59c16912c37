import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clientIdentity } from '../internet/certificates.ts'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import { createCertificates } from '../internet/certificates.ts'
import { assertDeferred, assertLogged, sendTo } from './telling.ts'

const { key, cert } = clientIdentity(createCertificates(), 'haraka.test')
const another = clientIdentity(createCertificates(), 'another.test')
const files = { 'client_key.pem': key, 'client_cert.pem': cert, 'another_key.pem': another.key, 'broken.pem': 'no PEM' }
const right = 'key = client_key.pem\ncert = client_cert.pem\n'

/** [what, tls.ini, what the log says] */
const cases: readonly (readonly [string, string, string])[] = [
  ['ciphers that do not exist', '[outbound]\nciphers = NONSENSE\n', 'tls.ini [outbound] ciphers = "NONSENSE": '],
  [
    'a certificate that is none',
    '[outbound]\nkey = client_key.pem\ncert = broken.pem\n',
    'tls.ini [outbound] cert = "broken.pem": ',
  ],
  [
    'a key that is none',
    '[outbound]\nkey = broken.pem\ncert = client_cert.pem\n',
    'tls.ini [outbound] key = "broken.pem": ',
  ],
  [
    'a key that does not fit the certificate',
    '[outbound]\nkey = another_key.pem\ncert = client_cert.pem\n',
    'tls.ini [outbound] key = "another_key.pem": ',
  ],
]

async function internetWith(t: Parameters<typeof privateInternet>[0], ini: string): Promise<PrivateInternet> {
  return privateInternet(t, { haraka: { config: { ...files, 'tls.ini': ini } } })
}

describe('tls.ini', () => {
  for (const [what, ini, said] of cases)
    test(`with ${what}: said at load, clear text goes on, TLS waits and says why, until it is mended`, async (t) => {
      const net = await internetWith(t, ini)
      const line = await assertLogged(net, '[CRIT]', said)
      assert.match(line, /\(OpenSSL: [a-z ]+\)/)
      assert.ok(!line.includes('-----'), 'nothing of the key')

      net.domain('clear.test')
      net.server('mx1.clear.test', { offersTls: false })
      assert.equal((await sendTo(net, 'clear.test')).fate, 'delivered')

      net.domain('tls.test')
      const server = net.server('mx1.tls.test', { clientCertificate: 'requested' })
      const waiting = await sendTo(net, 'tls.test')
      assertDeferred(waiting, '4.7.5', new RegExp(said.replace(/[[\]]/g, '\\$&')))
      assert.deepEqual(server.messages, [])
      assert.ok(!server.commands.includes('STARTTLS'))

      assert.equal(await net.haraka.reconfigure('tls.ini', `[outbound]\n${right}`), true)
      assert.equal((await net.haraka.retry(waiting.outcome)).delivered[0]?.secured, true)
      assert.equal(server.connections.at(-1)?.tls?.clientCertificate, true)
    })

  test('in order: nothing is said of it, and what [outbound] does not set comes from [main]', async (t) => {
    const net = await internetWith(t, `${right}[outbound]\nciphers = ECDHE+AESGCM\n`)
    net.domain('tls.test')
    const server = net.server('mx1.tls.test', { clientCertificate: 'requested', maxVersion: 'TLSv1.2' })
    assert.equal((await sendTo(net, 'tls.test')).outcome.delivered[0]?.secured, true)
    assert.equal(server.connections[0]?.tls?.clientCertificate, true)
    assert.match(server.connections[0].tls.cipher, /GCM/)
    assert.deepEqual(
      net.haraka.log.lines.filter((line) => line.includes('[CRIT]')),
      [],
    )
  })

  test('mended badly while Haraka runs: said then', async (t) => {
    const net = await internetWith(t, `[outbound]\n${right}`)
    net.domain('tls.test')
    net.server('mx1.tls.test')
    assert.equal((await sendTo(net, 'tls.test')).fate, 'delivered')
    await net.haraka.reconfigure('tls.ini', '[outbound]\nciphers = NONSENSE\n')
    assertDeferred(await sendTo(net, 'tls.test'), '4.7.5', /ciphers = "NONSENSE"/)
    await assertLogged(net, '[CRIT]', 'tls.ini [outbound] ciphers = "NONSENSE": ')
  })
})
