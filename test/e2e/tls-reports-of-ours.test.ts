import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { markTlsReport, newNotes } from '../../dist/lib/requiretls/index.js'
import { domainNames } from './far-end.ts'
import { assertDeferred, loggedNow, sendTo, type Fate } from './telling.ts'

const settings = {
  'rule:starttls': { 'if-rcpt-domain': ['*.starttls.test'], starttls: 'require' },
  'rule:dane': { 'if-rcpt-domain': ['*.dane.test'], dane: 'require' },
  'rule:sts': { 'if-rcpt-domain': ['*.sts.test'], 'mta-sts': 'require' },
}

describe('a TLS report of ours (R22)', () => {
  const net = sharedInternet({ settings, haraka: { plugins: ['marking', 'outbound-tls'] } })
  const newDomain = domainNames('report')

  const sendReport = (domain: string): Promise<Fate> => {
    const notes = newNotes()
    markTlsReport(notes, { domain, start: 1_798_675_200_000, rua: `mailto:tls@${domain}` })
    return sendTo(net, domain, { headers: { 'X-Notes': JSON.stringify(notes) } })
  }
  const assertNotRecorded = (domain: string): void => assert.deepEqual(loggedNow(net, `outcome for ${domain}`), [])

  test('is delivered where a certificate does not match its TLSA records, over TLS', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const server = net.server(`mx1.${domain}`, { tlsa: '3 1 1 of other' })
    assert.equal((await sendReport(domain)).fate, 'delivered')
    assert.equal((await server.nextMessage()).tls, true)
    assertNotRecorded(domain)
  })

  test('is delivered in clear text where STARTTLS is missing, though DANE asks for it', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const server = net.server(`mx1.${domain}`, { tlsa: '3 1 1', offersTls: false })
    assert.equal((await sendReport(domain)).fate, 'delivered')
    assert.equal((await server.nextMessage()).tls, false)
    assertNotRecorded(domain)
  })

  test('is delivered in clear text where the handshake fails', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: '3 1 1', handshake: 'reset-after-client-hello' })
    assert.equal((await sendReport(domain)).fate, 'delivered')
    assertNotRecorded(domain)
  })

  test('asks for no policy, and needs none: a policy that does not list the host, a policy host that is down', async () => {
    for (const sts of [{ mx: ['elsewhere.test'] }, { address: net.policyHosts.deserted }]) {
      const domain = newDomain()
      net.domain(domain, { sts })
      net.server(`mx1.${domain}`, {})
      assert.equal((await sendReport(domain)).fate, 'delivered')
      assertNotRecorded(domain)
      assert.equal(net.policyHosts.requests.filter(({ host }) => host.endsWith(domain)).length, 0)
    }
  })

  test('is delivered where the administrator requires what is not there', async () => {
    for (const parent of ['starttls.test', 'dane.test', 'sts.test']) {
      const domain = `${newDomain().replace('.test', '')}.${parent}`
      net.domain(domain)
      net.server(`mx1.${domain}`, { offersTls: false })
      assert.equal((await sendReport(domain)).fate, 'delivered', domain)
      assertNotRecorded(domain)
    }
  })

  test('is deferred where nobody can say which hosts there are, and nothing is recorded of it', async () => {
    const domain = newDomain()
    net.domain(domain, { dns: { security: 'bogus' } })
    assertDeferred(await sendReport(domain), '4.4.3')
    assertNotRecorded(domain)
  })

  test('is told from other mail: the same hosts refuse a message that is no report', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: '3 1 1 of other' })
    assertDeferred(await sendTo(net, domain), '4.7.5')
    assert.equal(loggedNow(net, `outcome for ${domain}`).length, 1)
  })
})
