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
  domainNames,
  fatesOf,
} from './far-end.ts'

const settings = {
  'rule:encrypt': { 'if-rcpt-domain': ['*.encrypt.test'], 'insecure-mx': 'encrypt' },
  'rule:may': { 'if-rcpt-domain': ['*.may.test'], 'insecure-mx': 'may' },
  'rule:banks': { 'if-rcpt-domain': ['*.required.test'], dane: 'require', reason: 'the auditors want it' },
  'rule:broken': { 'if-rcpt-domain': ['*.disabled.test'], dane: 'disable' },
  'rule:broken-host': { 'if-mx': ['*.exempt.test'], dane: 'disable' },
  'rule:no-tls': { 'if-rcpt-domain': ['*.no-tls.test'], starttls: 'disable' },
  'rule:audit': { 'if-rcpt-domain': ['*.audited.test'], audit: true },
}

const net = sharedInternet({ settings })

describe('behind an insecure MX record, a secure host with TLSA records', () => {
  const newDomain = domainNames('insecure')

  test('D22, D23, D24: insecure-mx = dane: gets mail when it matches, called Trusted and never Verified', async () => {
    const domain = newDomain()
    net.domain(domain)
    net.server(`mx1.${domain}`, { signed: true, tlsa: '3 1 1', certificate: 'self-signed' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, `Trusted TLS connection to mx1.${domain}[`, 'matched DANE-EE 3 1 1 ')
    await assertLogged(net, `outcome for ${domain} at mx1.${domain}: trusted`, `tlsa mx1.${domain} success`)
    assert.deepEqual(net.haraka.log.find(new RegExp(`Verified TLS connection to mx1\\.${domain}`)), [])
  })

  test('D13, D22: insecure-mx = dane: gets no mail when it does not match', async () => {
    const domain = newDomain()
    net.domain(domain)
    net.server(`mx1.${domain}`, { signed: true, tlsa: '3 1 1 of other' })
    assertDeferred(await net.haraka.send({ to: `one@${domain}` }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, `mx1.${domain}`)
  })

  test('D22: insecure-mx = encrypt: gets mail over TLS with a valid certificate, though no record matches', async () => {
    const domain = 'one.encrypt.test'
    net.domain(domain)
    net.server(`mx1.${domain}`, { signed: true, tlsa: '3 1 1 of other' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, `Trusted TLS connection to mx1.${domain}[`, `certificate valid for mx1.${domain}`)
  })

  test('D22: insecure-mx = encrypt: gets no mail in clear text', async () => {
    const domain = 'two.encrypt.test'
    net.domain(domain)
    net.server(`mx1.${domain}`, { signed: true, tlsa: '3 1 1', offersTls: false })
    const outcome = await net.haraka.send({ to: `one@${domain}` })
    assertDeferred(
      outcome,
      '4.7.4',
      /behind an unsigned MX record \(insecure-mx \(\[rule:encrypt\]\)\)\. RFC 7672 2\.2\.1/,
    )
    assertNoMail(net, `mx1.${domain}`)
  })

  test('D22: insecure-mx = may: gets mail as without TLSA records, even in clear text, and they are not asked for', async () => {
    const domain = 'one.may.test'
    net.domain(domain)
    net.server(`mx1.${domain}`, { signed: true, tlsa: '3 1 1', offersTls: false })
    await assertDeliveredInClear(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    assert.equal(net.dns.asked(net.tlsaName(`mx1.${domain}`)), 0)
  })
})

describe('with dane = require, a host', () => {
  test('D17: with a usable TLSA record that matches gets mail', async () => {
    net.domain('usable.required.test', { signed: true })
    net.server('mx1.usable.required.test', { tlsa: '3 1 1' })
    const outcome = await net.haraka.send({ to: 'one@usable.required.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.usable.required.test')
    await assertLogged(net, 'Verified TLS connection to mx1.usable.required.test[')
  })

  const refused = [
    ['D46: without TLSA records', true, {}, /but the host has no secure TLSA record/],
    [
      'D21: with TLSA records behind an insecure MX',
      false,
      { signed: true, tlsa: '3 1 1' },
      /the MX record is not signed/,
    ],
    ['D46: with unusable TLSA records', true, { tlsa: '1 1 1' }, /none of the TLSA records at .* is usable/],
    ['D46: with insecure addresses', true, { signed: false, tlsa: '3 1 1' }, /the address of the host is not signed/],
  ] as const
  for (const [why, signed, options, text] of refused) {
    test(`${why} gets no mail, nor a connection (4.7.5)`, async () => {
      const domain = `${why.replace(/\W/g, '-').toLowerCase()}.required.test`
      net.domain(domain, { signed })
      net.server(`mx1.${domain}`, options)
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      assertDeferred(outcome, '4.7.5', text)
      assertDeferred(outcome, '4.7.5', /DANE is required \(\[rule:banks\]: the auditors want it\) but .*RFC 7672 6/)
      assertNotConnected(net, `mx1.${domain}`)
      await assertLogged(net, `outcome for ${domain} at mx1.${domain}: refused`, 'dane-required (dane-required)')
    })
  }

  test('D19, D46: without TLSA records is passed over for a less preferred one that has some', async () => {
    net.domain('mixed.required.test', { mx: ['mx1', 'mx2'], signed: true })
    net.server('mx2.mixed.required.test', { tlsa: '3 1 1' })
    const outcome = await net.haraka.send({ to: 'one@mixed.required.test' })
    await assertDeliveredOverTls(net, outcome, 'mx2.mixed.required.test')
    assertNotConnected(net, 'mx1.mixed.required.test')
  })

  test('D17: of another domain in the same message is none of its business', async () => {
    net.domain('plain.test')
    net.domain('absent.required.test', { signed: true })
    const outcome = await net.haraka.send({ to: ['one@plain.test', 'two@absent.required.test'] })
    assert.deepEqual(fatesOf(outcome), { 'one@plain.test': 'delivered', 'two@absent.required.test': 'deferred 4.7.5' })
    assert.deepEqual((await net.server('mx1.plain.test').nextMessage()).to, ['one@plain.test'])
    assertNotConnected(net, 'mx1.absent.required.test')
  })
})

describe('by a rule', () => {
  test('D50: dane = disable for a domain: TLSA is not asked for, and a host that does not match gets mail', async () => {
    net.domain('one.disabled.test', { signed: true })
    net.server('mx1.one.disabled.test', { tlsa: '3 1 1 of other' })
    const outcome = await net.haraka.send({ to: 'one@one.disabled.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.one.disabled.test')
    assert.equal(net.dns.asked(net.tlsaName('mx1.one.disabled.test')), 0)
    await assertLogged(net, 'outcome for one.disabled.test at', 'no-policy-found one.disabled.test success')
  })

  test('D50: dane = disable for one host: only that host is exempt', async () => {
    net.domain('half.test', { mx: ['mx1', 'mx.exempt.test'], signed: true })
    net.server('mx1.half.test', { tlsa: '3 1 1 of other' })
    net.server('mx.exempt.test', { signed: true, tlsa: '3 1 1 of other' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@half.test' }), 'mx.exempt.test')
    assertNoMail(net, 'mx1.half.test')
    assert.equal(net.dns.asked(net.tlsaName('mx.exempt.test')), 0)
  })

  test('D35: starttls = disable: a host with TLSA records is skipped (4.7.4)', async () => {
    net.domain('one.no-tls.test', { signed: true })
    net.server('mx1.one.no-tls.test', { tlsa: '3 1 1' })
    const outcome = await net.haraka.send({ to: 'one@one.no-tls.test' })
    assertDeferred(outcome, '4.7.4', /DANE asks for TLS with .*, but STARTTLS is disabled \(\[rule:no-tls\]\)/)
    assertNotConnected(net, 'mx1.one.no-tls.test')
  })

  test('D49: audit: a host that does not match gets mail, and the log says what would have been', async () => {
    net.domain('one.audited.test', { signed: true })
    net.server('mx1.one.audited.test', { tlsa: '3 1 1 of other' })
    const outcome = await net.haraka.send({ to: 'one@one.audited.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.one.audited.test')
    await assertLogged(net, 'NOTICE', 'mx1.one.audited.test[', 'audit: would have been refused', 'RFC 7672 2.2')
    await assertLogged(net, 'outcome for one.audited.test at', 'validation-failure (dane-no-match)')
  })
})
