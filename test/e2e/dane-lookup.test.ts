import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import {
  assertDeferred,
  assertDeliveredInClear,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  assertNotConnected,
  declareWithSpare,
  domainNames,
} from './far-end.ts'

/** How a lookup fails, what is said about it, and whether it would be reported (RFC 8460 §4.3.4). */
const troubles = [
  ['bogus', 'DNSSEC bogus', true],
  ['servfail', 'SERVFAIL', false],
  ['unreachable', 'no reachable authority', false],
  ['refused', 'REFUSED', false],
  ['malformed', '', false],
  ['timeout', '', false],
] as const

const net = sharedInternet()

describe('a lookup that fails', () => {
  const newDomain = domainNames('lookup')

  for (const [trouble, text, reported] of troubles) {
    test(`D8: TLSA ${trouble}: nobody connects to that host; the next one gets the mail`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, { tlsa: '3 1 1', tlsaDns: { trouble } })
      await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
      assertNotConnected(net, `mx1.${domain}`)
      // a time-out is over when the patience with it is: either may be what is said
      const said = trouble === 'timeout' ? '' : `DANE: TLSA lookup failed at ${net.tlsaName(`mx1.${domain}`)}: `
      await assertLogged(net, `refused mx1.${domain} for ${domain}: `, said, text, 'RFC 7672 2.1.2. Next host.')
      await assertLogged(net, `outcome for ${domain} at mx2.${domain}: verified`)
      const outcomes = net.haraka.log.find(new RegExp(`tlsa mx1\\.${domain} dnssec-invalid`))
      assert.equal(outcomes.length, reported ? 1 : 0)
    })

    test(`D16: TLSA ${trouble} of the only host: the message waits (4.7.5)`, async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      net.server(`mx1.${domain}`, { tlsa: '3 1 1', tlsaDns: { trouble } })
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      assertDeferred(outcome, '4.7.5', new RegExp(`DANE: TLSA lookup failed at .*${text}.*RFC 7672 2\\.1\\.2`))
      assertNotConnected(net, `mx1.${domain}`)
    })

    test(`D6: MX ${trouble}: the message waits (4.4.3)`, async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true, dns: { trouble: { MX: trouble } } })
      net.server(domain, { tlsa: '3 1 1', dns: { trouble: { MX: trouble } } })
      const outcome = await net.haraka.send({ to: [`one@${domain}`, `two@${domain}`] })
      assertDeferred(outcome, '4.4.3', new RegExp(`MX lookup failed for ${domain}: .*${text}.*RFC 7672 2\\.1\\.2`))
      assertNotConnected(net, `mx1.${domain}`, domain) // the domain's own address is no MX host either
      await assertLogged(net, `refused all hosts for ${domain}: MX lookup failed`)
      assert.equal(net.haraka.log.find(new RegExp(`tlsa ${domain} dnssec-invalid`)).length, reported ? 1 : 0)
    })

    test(`D6: both addresses of the only host ${trouble}: the message waits (4.4.3)`, async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      net.server(`mx1.${domain}`, { tlsa: '3 1 1', dns: { trouble } })
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      assertDeferred(outcome, '4.4.3', new RegExp(`DNS lookup failed for mx1\\.${domain}: .*${text}`))
      assertNotConnected(net, `mx1.${domain}`)
    })
  }

  test('D6: addresses bogus of one of two hosts: the other one gets the mail', async () => {
    const domain = newDomain()
    declareWithSpare(net, domain, { security: 'bogus' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
    assertNotConnected(net, `mx1.${domain}`)
    await assertLogged(net, `at mx1.${domain}: refused; tlsa mx1.${domain} dnssec-invalid`)
  })

  test('D6: AAAA fails, A does not: A counts, with its status', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: '3 1 1', dns: { trouble: { AAAA: 'servfail' } } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, `Verified TLS connection to mx1.${domain}[`, 'matched DANE-EE')
  })

  test('D28: TLSA of a host in an insecure zone is never asked for, though the query would fail', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
    net.server(`mx1.${domain}`, { signed: false, tlsaDns: { trouble: 'servfail' } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    assert.equal(net.dns.asked(net.tlsaName(`mx1.${domain}`)), 0)
    assert.equal(net.dns.asked(`mx1.${domain}`, 'A'), 1)
  })

  test('D15: a secure denial of TLSA leaves opportunistic TLS, clear text included', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { offersTls: false })
    await assertDeliveredInClear(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    assert.equal(net.dns.asked(net.tlsaName(`mx1.${domain}`), 'TLSA'), 1)
  })

  test('D15: insecure TLSA records of a secure host count for nothing', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: '3 1 1 of other', tlsaDns: { security: 'insecure' } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, `outcome for ${domain} at mx1.${domain}`, `no-policy-found ${domain} success`)
  })

  test('D26: addresses are asked for before TLSA, with DO', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: '3 1 1', dns: { delay: 20 } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    const asked = net.dns.queries.filter(({ name, type }) => name.endsWith(domain) && type !== 'TXT')
    assert.equal(asked.at(-1)?.type, 'TLSA')
    assert.deepEqual(asked.map(({ type }) => type).sort(), ['A', 'AAAA', 'MX', 'TLSA'])
    assert.ok(asked.every(({ wantsAd }) => wantsAd))
  })
})

describe('a host that is an alias', () => {
  const newDomain = domainNames('alias')

  test('D29, D47: secure: the records at its target count, and the target is asked for by SNI', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const target = net.server(`real.${domain}`, { signed: true, tlsa: '3 1 1', certificate: 'other' })
    net.server(`mx1.${domain}`, { dns: { CNAME: target.name }, tlsa: '3 1 1 of expired' })
    await net.haraka.send({ to: `one@${domain}` })
    const message = await target.nextMessage()
    assert.equal(message.servername, `real.${domain}`)
    assert.equal(net.dns.asked(net.tlsaName(`mx1.${domain}`)), 0) // D34
    await assertLogged(net, `outcome for ${domain} at mx1.${domain}: verified`, `tlsa real.${domain} success`)
  })

  test('D36, D47: secure, without records at its target: its own count, and its own name is asked for by SNI', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const target = net.server(`real.${domain}`, { certificate: 'other' })
    net.server(`mx1.${domain}`, {
      dns: { CNAME: target.name },
      tlsa: [net.certificates.tlsa(target.name, '3 1 1', 'other')],
    })
    await net.haraka.send({ to: `one@${domain}` })
    assert.equal((await target.nextMessage()).servername, `mx1.${domain}`)
    assert.equal(net.dns.asked(net.tlsaName(`real.${domain}`), 'TLSA'), 1)
    await assertLogged(net, `outcome for ${domain} at mx1.${domain}: verified`, `tlsa mx1.${domain} success`)
  })

  test('D12, D29, D47: in a signed zone with an insecure target: its own records count, never those of the target', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const target = net.server(`real.un${domain}`, { signed: false, certificate: 'other', tlsa: '3 1 1 of expired' })
    net.server(`mx1.${domain}`, {
      dns: { CNAME: target.name },
      tlsa: [net.certificates.tlsa(target.name, '3 1 1', 'other')],
    })
    await net.haraka.send({ to: `one@${domain}` })
    assert.equal((await target.nextMessage()).servername, `mx1.${domain}`)
    assert.equal(net.dns.asked(`mx1.${domain}`, 'CNAME'), 1)
    assert.equal(net.dns.asked(net.tlsaName(target.name)), 0)
    await assertLogged(net, `Verified TLS connection to mx1.${domain}[`, 'matched DANE-EE')
  })

  test('D13, D29: in a signed zone with an insecure target, and not matching: gets no mail', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const target = net.server(`real.un${domain}`, { signed: false })
    net.server(`mx1.${domain}`, { dns: { CNAME: target.name }, tlsa: '3 1 1 of other' })
    assertDeferred(await net.haraka.send({ to: `one@${domain}` }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, target.name)
  })

  test('D11, D28: in an insecure zone with a secure target: DANE does not apply, nothing is asked', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const target = net.server(`real.${domain}`, { tlsaDns: { trouble: 'servfail' }, offersTls: false })
    net.server(`mx1.${domain}`, { signed: false, dns: { CNAME: target.name }, tlsaDns: { trouble: 'servfail' } })
    await net.haraka.send({ to: `one@${domain}` })
    assert.equal((await target.nextMessage()).tls, false)
    assert.equal(net.dns.queries.filter(({ type, name }) => type === 'TLSA' && name.endsWith(domain)).length, 0)
  })

  test('D10: with a bogus link: nobody connects to it', async () => {
    const domain = newDomain()
    declareWithSpare(net, domain, { dns: { CNAME: `real.${domain}` } })
    const target = net.server(`real.${domain}`, { security: 'bogus', tlsa: '3 1 1' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
    assertNotConnected(net, target.name)
  })

  test('D33: of its TLSA name only: the base domain stays what it was', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    const record = net.certificates.tlsa(`mx1.${domain}`, '3 1 1', 'leaf')
    net.server(`mx1.${domain}`, { tlsaDns: { CNAME: `tlsa.${domain}` } })
    net.dns.declare(`tlsa.${domain}`, { TLSA: [record] })
    const outcome = await net.haraka.send({ to: `one@${domain}` })
    assert.equal((await assertDeliveredOverTls(net, outcome, `mx1.${domain}`)).servername, `mx1.${domain}`)
    await assertLogged(net, `at mx1.${domain}: verified`, `tlsa mx1.${domain} success`)
  })

  test('D33: of its TLSA name, with an insecure target: DANE does not apply', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsaDns: { CNAME: `tlsa.un${domain}` } })
    net.dns.declare(`tlsa.un${domain}`, { TLSA: [net.certificates.tlsa(`mx1.${domain}`, '3 1 1', 'other')] })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
  })
})
