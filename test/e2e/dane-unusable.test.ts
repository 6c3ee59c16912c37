import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import {
  assertDeferred,
  assertDeliveredInClear,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  declareWithSpare,
  domainNames,
} from './far-end.ts'

const settings = {
  'rule:lenient': { 'if-rcpt-domain': ['*.lenient.test'], 'allow-invalid-certs': true },
  'rule:strict': { 'if-rcpt-domain': ['*.strict.test'], starttls: 'require', reason: 'the auditors want it' },
}

const digest = '00'.repeat(32)

/** Records that authenticate nobody, and what the log says is wrong with them. */
const unusable: readonly (readonly [string, string | Buffer, string])[] = [
  ['D39: of usage 0', `0 0 1 ${digest}`, 'usage 0 (PKIX-TA) is not for SMTP'],
  ['D39: of usage 1, though it matches', '1 1 1', 'usage 1 (PKIX-EE) is not for SMTP'],
  ['K1: of an unknown usage', `4 1 1 ${digest}`, 'usage 4 is unknown'],
  ['K1: of an unknown selector', `3 2 1 ${digest}`, 'selector 2 is unknown'],
  ['K1: of an unknown matching type', `3 1 3 ${digest}`, 'matching type 3 is unknown'],
  ['K14: with a short digest', '3 1 1 00ff00ff', 'SHA2-256 digest of 4 octets'],
  ['K14: with no data', Buffer.from([3, 1, 1]), 'no data'],
  ['K14: with a whole certificate that is none', '2 0 0 00ff', 'not a certificate'],
]

const net = sharedInternet({ settings })

describe('a host whose TLSA records are all unusable', () => {
  const newDomain = domainNames('host')

  for (const [why, tlsa, text] of unusable) {
    test(`${why}, gets mail over TLS with a valid certificate (D14)`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, { tlsa: [tlsa] })
      await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
      await assertLogged(net, `Verified TLS connection to mx1.${domain}[`, `certificate valid for mx1.${domain}`)
      await assertLogged(net, `tlsa mx1.${domain} tlsa-invalid (tlsa-unusable); no-policy-found ${domain} success`)
    })

    test(`${why}, gets no mail in clear text (D14, D35)`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, { tlsa: [tlsa], offersTls: false })
      await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
      assertNoMail(net, `mx1.${domain}`)
      await assertLogged(
        net,
        `refused mx1.${domain}[`,
        'STARTTLS is not offered; DANE: TLS is required',
        text,
        '7672 2.2',
      )
    })
  }

  test('D14: gets no mail with an invalid certificate, as a host without TLSA records', async () => {
    const domain = newDomain()
    declareWithSpare(net, domain, { tlsa: ['1 1 1'], certificate: 'self-signed' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
    assertNoMail(net, `mx1.${domain}`)
    await assertLogged(net, `refused mx1.${domain}[`, `the certificate of mx1.${domain} does not validate`, 'RFC 9525')
  })

  test('D14: gets mail with an invalid certificate where allow-invalid-certs says so, over TLS all the same', async () => {
    const domain = 'one.lenient.test'
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: ['1 1 1'], certificate: 'self-signed' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, 'NOTICE', `Untrusted TLS connection to mx1.${domain}[`, 'accepted: allow-invalid-certs')
  })

  test('D13: an invalid certificate is not accepted by allow-invalid-certs where a usable record says otherwise', async () => {
    const domain = 'two.lenient.test'
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { certificate: 'self-signed', tlsa: '3 1 1 of leaf' })
    assertDeferred(await net.haraka.send({ to: `one@${domain}` }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, `mx1.${domain}`)
  })

  test('D14: gets no mail in clear text after a failed handshake, nor when it is the only host', async () => {
    const domain = newDomain()
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { tlsa: ['1 1 1'], handshake: 'alert' })
    assertDeferred(await net.haraka.send({ to: `one@${domain}` }), '4.7.5', /TLS handshake failed/)
    assertNoMail(net, `mx1.${domain}`)
    assert.equal(net.server(`mx1.${domain}`).connections.length, 1)
  })
})

/** STARTTLS that cannot be had. */
const withoutTls: readonly (readonly [string, ServerOptions, RegExp])[] = [
  ['does not offer STARTTLS', { offersTls: false }, /STARTTLS is not offered/],
  ['refuses STARTTLS for now', { starttls: '454 4.7.0 not now' }, /STARTTLS was refused: 454/],
  ['refuses STARTTLS for ever', { starttls: '554 5.7.0 never' }, /STARTTLS was refused: 554/],
]

/** Handshakes that fail, and what is said of them. */
const handshakes = [
  ['reset', ''],
  ['reset-after-client-hello', ''],
  ['alert', 'ssl/tls alert handshake failure; forward secrecy is demanded (ciphers in outbound-tls.ini). '],
  ['garbage', 'wrong version number; forward secrecy is demanded'],
] as const

describe('a host that', () => {
  const newDomain = domainNames('plain')

  for (const [what, options, why] of withoutTls) {
    test(`D15: ${what} gets mail in clear text where nothing asks for TLS`, async () => {
      const domain = newDomain()
      net.domain(domain)
      net.server(`mx1.${domain}`, options)
      await assertDeliveredInClear(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
      await assertLogged(net, `Clear-text connection to mx1.${domain}[`, 'no policy asks for TLS')
      await assertLogged(net, `outcome for ${domain} at`, `no-policy-found ${domain} starttls-not-supported`)
    })

    test(`${what} gets no mail where starttls = require (4.7.4)`, async () => {
      const domain = `${newDomain().replace('.test', '')}.strict.test`
      net.domain(domain)
      net.server(`mx1.${domain}`, options)
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      assertDeferred(outcome, '4.7.4', why)
      assertDeferred(
        outcome,
        '4.7.4',
        /STARTTLS is required for .*\(\[rule:strict\]: the auditors want it\)\. RFC 3207/,
      )
      assertNoMail(net, `mx1.${domain}`)
    })

    test(`D13: ${what} gets no mail where it has TLSA records (4.7.4)`, async () => {
      const domain = newDomain()
      net.domain(domain, { signed: true })
      net.server(`mx1.${domain}`, { ...options, tlsa: '3 1 1' })
      const outcome = await net.haraka.send({ to: `one@${domain}` })
      assertDeferred(outcome, '4.7.4', why)
      assertDeferred(outcome, '4.7.4', /DANE: one of 1 TLSA record at .* must match\. RFC 7672 2\.2/)
      assertNoMail(net, `mx1.${domain}`)
      await assertLogged(net, `outcome for ${domain} at`, `tlsa mx1.${domain} starttls-not-supported`)
    })
  }

  test('D15: fails the handshake gets mail in clear text where nothing asks for TLS', async () => {
    const domain = newDomain()
    net.domain(domain)
    net.server(`mx1.${domain}`, { handshake: 'alert' })
    await assertDeliveredInClear(net, await net.haraka.send({ to: `one@${domain}` }), `mx1.${domain}`)
    await assertLogged(net, `Clear-text connection to mx1.${domain}[`, 'plaintext-fallback')
  })

  for (const [handshake, text] of handshakes) {
    test(`D13: fails the handshake by ${handshake} gets no mail where it has TLSA records; the next host does`, async () => {
      const domain = newDomain()
      declareWithSpare(net, domain, { handshake, tlsa: '3 1 1' })
      await assertDeliveredOverTls(net, await net.haraka.send({ to: `one@${domain}` }), `mx2.${domain}`)
      assertNoMail(net, `mx1.${domain}`)
      assert.equal(net.server(`mx1.${domain}`).connections.length, 1)
      await assertLogged(net, `refused mx1.${domain}[`, `TLS handshake failed: ${text}`, 'RFC 7672 2.2. Next host.')
    })
  }
})
