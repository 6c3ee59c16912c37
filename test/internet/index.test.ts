import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:https'
import { Resolver } from 'node:dns/promises'
import { describe, test } from 'node:test'
import { sharedInternet } from './index.ts'

describe('a private internet', () => {
  const net = sharedInternet({ haraka: false, settings: { main: { dane: 'require' } } })

  const resolver = (): Resolver => {
    const own = new Resolver()
    own.setServers([net.dns.endpoint])
    return own
  }
  const fetchPolicy = async (host: string): Promise<string> => {
    const { address, port } = net.policyHosts
    const path = '/.well-known/mta-sts.txt'
    const ca = net.certificates.caPem
    const request = get({ host: address, port, path, headers: { host }, servername: host, ca, agent: false })
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return `${response.statusCode} ${Buffer.concat(chunks).toString()}`
  }

  test('a domain has hosts, with addresses of their own', async () => {
    net.domain('example.test', { mx: ['mx1', '5 mx.elsewhere.test'] })
    const records = (await resolver().resolveMx('example.test')).map(
      ({ priority, exchange }) => `${priority} ${exchange}`,
    )
    assert.deepEqual(records.sort(), ['10 mx1.example.test', '5 mx.elsewhere.test'])
    const addresses = await Promise.all(
      ['mx1.example.test', 'mx.elsewhere.test'].map((host) => resolver().resolve4(host)),
    )
    assert.notDeepEqual(addresses[0], addresses[1])
    assert.deepEqual(addresses[0], [net.server('mx1.example.test').address])
  })

  test('a host has TLSA records of its certificates, at its port', async () => {
    net.server('mx1.example.test', { certificate: 'other', tlsa: ['3 1 1 of leaf', '2 0 1 of root', '3 1 1 00'] })
    const records = await resolver().resolveTlsa(net.tlsaName('mx1.example.test'))
    assert.deepEqual(records.map(({ certUsage, match, data }) => [certUsage, match, data.byteLength]).sort(), [
      [2, 1, 32],
      [3, 1, 1],
      [3, 1, 32],
    ])
  })

  test('a domain publishes a policy, and another one', async () => {
    net.domain('sts.test', { sts: { mode: 'testing' } })
    const [before] = await resolver().resolveTxt('_mta-sts.sts.test')
    assert.match(
      await fetchPolicy('mta-sts.sts.test'),
      /^200 version: STSv1\r\nmode: testing\r\nmx: mx1\.sts\.test\r\n/,
    )
    net.sts('sts.test', { mx: ['*.other.test'], maxAge: 60 })
    assert.match(await fetchPolicy('mta-sts.sts.test'), /mode: enforce\r\nmx: \*\.other\.test\r\nmax_age: 60/)
    assert.notDeepEqual(before, (await resolver().resolveTxt('_mta-sts.sts.test'))[0])
    net.sts('sts.test', { status: 404, certificate: 'other-name' })
    await assert.rejects(fetchPolicy('mta-sts.sts.test'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    assert.equal(net.policyHosts.requests.length, 2)
  })

  test('a domain that is declared anew begins from a clean slate', async () => {
    net.domain('again.test', { sts: {}, tlsrpt: 'mailto:a@again.test' })
    net.server('mx1.again.test', { greeting: '554 no' })
    net.domain('again.test')
    assert.equal(net.server('mx1.again.test').behaviour.greeting, undefined)
    await assert.rejects(resolver().resolveTxt('_smtp._tls.again.test'), { code: 'ENOTFOUND' })
  })

  test('its settings are those of the ground, with changes', () => {
    const { main, dns } = net.settings({ dns: { timeout: '5s' } })
    assert.deepEqual([main?.dane, main?.['smtp-port'], dns?.timeout], ['require', net.smtpPort, '5s'])
    assert.throws(() => net.haraka, /without Haraka/)
  })
})
