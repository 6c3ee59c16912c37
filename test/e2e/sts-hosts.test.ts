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
  assertNotConnected,
  domainNames,
} from './far-end.ts'
import { assertRecorded, fetchesOf, mailTo } from './sts-evidence.ts'

/** What is wrong with a host, what is said of it, and what is recorded. */
const faults: readonly (readonly [string, ServerOptions, RegExp, string])[] = [
  ['with an expired certificate', { certificate: 'expired' }, /CERT_HAS_EXPIRED/, 'certificate-expired'],
  ['with a certificate of tomorrow', { certificate: 'future' }, /CERT_NOT_YET_VALID/, 'certificate-expired'],
  [
    'with a self-signed certificate',
    { certificate: 'self-signed' },
    /SELF_SIGNED/,
    'certificate-not-trusted (self-signed)',
  ],
  ["with nobody's certificate", { certificate: 'foreign' }, /UNABLE_TO/, 'certificate-not-trusted (unknown-issuer)'],
  [
    'without its intermediate',
    { certificate: 'without-intermediate' },
    /UNABLE_TO/,
    'certificate-not-trusted (unknown-issuer)',
  ],
  ['with the name of another', { certificate: 'other-name' }, /not for mx1/, 'certificate-host-mismatch'],
  ['with its name as CN only', { certificate: 'cn-only' }, /no DNS-ID/, 'certificate-host-mismatch'],
]
const withoutTls: readonly (readonly [string, ServerOptions, RegExp, string])[] = [
  ['without STARTTLS', { offersTls: false }, /not offered/, 'starttls-not-supported (starttls-not-offered)'],
  ['that refuses STARTTLS', { starttls: '454 no' }, /454 no/, 'starttls-not-supported (starttls-refused)'],
  ['that refuses it for ever', { starttls: '554 no' }, /554 no/, 'starttls-not-supported (starttls-refused)'],
]
const broken = [
  'that ends the handshake',
  { handshake: 'reset-after-client-hello' } as ServerOptions,
  /handshake failed/,
  'validation-failure (handshake-failed)',
] as const

const rules = {
  // what lets anything pass, so that it is the policy alone that refuses
  'rule:lenient': { 'if-rcpt-domain': ['*.lenient.test'], 'allow-invalid-certs': true },
}

describe('a host under an enforced STS policy', () => {
  const net = sharedInternet({ settings: rules })
  const newDomain = domainNames('enforced')

  test('is not lost to DNS that anybody could have forged: a null MX, or no MX at all, bounces nothing', async () => {
    const domain = 'denied.test'
    net.domain(domain, { sts: {} })
    assert.equal((await mailTo(net, domain)).delivered.length, 1) // its policy is cached now
    for (const MX of [['0 .'], []]) {
      net.dns.declare(domain, { MX })
      assertDeferred(
        await mailTo(net, domain),
        '4.7.5',
        /not signed, and the enforce policy of denied\.test names hosts/,
      )
    }
  })

  test('T20, T23: gets mail over TLS when the policy lists it and its certificate is valid', async () => {
    net.domain('good.test', { sts: {} })
    const { servername } = await assertDeliveredOverTls(net, await mailTo(net, 'good.test'), 'mx1.good.test')
    assert.equal(servername, 'mx1.good.test')
    await assertLogged(
      net,
      'Verified TLS connection to mx1.good.test[',
      'certificate valid for mx1.good.test',
      'RFC 8461 5',
    )
    await assertRecorded(net, 'good.test', 'mx1: verified; sts success')
    const request = net.policyHosts.requests.find(({ host }) => host === 'mta-sts.good.test')
    assert.equal(request?.servername, 'mta-sts.good.test')
    assert.equal(request.path, '/.well-known/mta-sts.txt')
  })

  test('T12: is asked for its policy once, by however many messages', async () => {
    net.domain('often.test', { sts: {} })
    for (let messages = 0; messages < 4; messages++) await mailTo(net, 'often.test')
    assert.equal(fetchesOf(net, 'often.test'), 1)
  })

  for (const [what, options, text, type] of [...faults, ...withoutTls, broken]) {
    test(`T25: ${what} gets no mail, the next host does`, async () => {
      const domain = newDomain()
      net.domain(domain, { mx: ['mx1', 'mx2'], sts: {} })
      net.server(`mx1.${domain}`, options)
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx2.${domain}`)
      assertNoMail(net, `mx1.${domain}`)
      await assertLogged(net, 'WARN', `refused mx1.${domain}[`, 'Next host.')
      await assertRecorded(net, domain, `mx1: refused; sts ${type}`, 'mx2: verified; sts success')
    })

    test(`T26: ${what} is no place for mail, whatever allow-invalid-certs says: it waits`, async () => {
      const domain = `${newDomain().replace('.test', '')}.lenient.test`
      net.domain(domain, { sts: {} })
      net.server(`mx1.${domain}`, options)
      const first = await mailTo(net, domain)
      const status = type.startsWith('starttls') ? '4.7.4' : '4.7.5'
      assertDeferred(first, status, text)
      assertDeferred(await net.haraka.retry(first), status, text) // nor does a retry relax anything
      assertNoMail(net, `mx1.${domain}`)
    })
  }

  test('T23, T30: that is not listed is not even connected to, and the next host gets the mail', async () => {
    net.domain('unlisted.test', { mx: ['mx1', 'mx2'], sts: { mx: ['mx2.unlisted.test'] } })
    await assertDeliveredOverTls(net, await mailTo(net, 'unlisted.test'), 'mx2.unlisted.test')
    assertNotConnected(net, 'mx1.unlisted.test')
    await assertLogged(
      net,
      'refused mx1.unlisted.test for unlisted.test: ',
      'does not list',
      'RFC 8461 4.1. Next host.',
    )
    await assertRecorded(
      net,
      'unlisted.test',
      'mx1: refused; sts validation-failure (sts-policy-mx-mismatch)',
      'mx2: verified; sts success',
    )
  })

  test('T25: where none is listed the message waits, and says why', async () => {
    net.domain('none.test', { mx: ['mx1', 'mx2'], sts: { mx: ['mail.none.test', '*.other.test'] } })
    const outcome = await mailTo(net, 'none.test')
    assertDeferred(
      outcome,
      '4.7.5',
      /^no host of none\.test .*mx1\.none\.test \(.*mx: mail\.none\.test, \*\.other\.test.*mx2/,
    )
    assertNotConnected(net, 'mx1.none.test', 'mx2.none.test')
  })

  const wildcards = [
    ['T23: one label for its wildcard', 'mx1', '*.w1.test', true],
    ['T23: the wildcard of another case', 'mx1', '*.W2.Test', true],
    ['T23: two labels for its wildcard', 'a.b', '*.w3.test', false],
    ['T23: no label for its wildcard', 'apex', '*.apex.w4.test', false],
    ['T23: a label that only begins alike', 'mx10', 'mx1.w5.test', false],
  ] as const
  for (const [index, [what, host, pattern, matches]] of wildcards.entries()) {
    test(`${what} ${matches ? 'matches' : 'does not match'}`, async () => {
      const domain = `w${index + 1}.test`
      const name = `${host}.${domain}`
      net.domain(domain, { mx: [name], sts: { mx: [pattern] } })
      const outcome = await mailTo(net, domain)
      if (matches) await assertDeliveredOverTls(net, outcome, name)
      else assertDeferred(outcome, '4.7.5', /does not list/)
    })
  }
})

describe('a host under an STS policy in testing', () => {
  const net = sharedInternet({ settings: rules })
  const newDomain = domainNames('tested')

  test('T26: that satisfies it is recorded as a success', async () => {
    net.domain('good.test', { sts: { mode: 'testing' } })
    await assertDeliveredOverTls(net, await mailTo(net, 'good.test'), 'mx1.good.test')
    await assertRecorded(net, 'good.test', 'mx1: trusted; sts success')
  })

  for (const [what, options, , type] of faults) {
    test(`T26: ${what} gets the mail where such certificates pass, and a failure is recorded`, async () => {
      const domain = `${newDomain().replace('.test', '')}.lenient.test`
      net.domain(domain, { sts: { mode: 'testing' } })
      net.server(`mx1.${domain}`, options)
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      await assertRecorded(net, domain, `mx1: untrusted; sts ${type}`)
    })
  }

  test('T26: with an invalid certificate gets what it would get without a policy: the retry', async () => {
    net.domain('retried.test', { sts: { mode: 'testing' } })
    net.server('mx1.retried.test', { certificate: 'expired' })
    const first = await mailTo(net, 'retried.test')
    assertDeferred(first, '4.7.5', /CERT_HAS_EXPIRED/)
    await assertDeliveredOverTls(net, await net.haraka.retry(first), 'mx1.retried.test')
    await assertRecorded(
      net,
      'retried.test',
      'mx1: refused; sts certificate-expired',
      'mx1: untrusted; sts certificate-expired',
    )
  })

  for (const [what, options, , type] of withoutTls) {
    test(`T26: ${what} gets the mail in clear text, and a failure is recorded`, async () => {
      const domain = newDomain()
      net.domain(domain, { sts: { mode: 'testing' } })
      net.server(`mx1.${domain}`, options)
      await assertDeliveredInClear(net, await mailTo(net, domain), `mx1.${domain}`)
      await assertRecorded(net, domain, `mx1: clear-text; sts ${type}`)
    })
  }

  test(`T26: ${broken[0]} gets the mail by the clear-text retry, and the failure is recorded once`, async () => {
    net.domain('broken.test', { sts: { mode: 'testing' } })
    net.server('mx1.broken.test', broken[1])
    await assertDeliveredInClear(net, await mailTo(net, 'broken.test'), 'mx1.broken.test')
    await assertRecorded(net, 'broken.test', `mx1: refused; sts ${broken[3]}`)
  })

  test('T26: that is not listed gets the mail over TLS, and a failure is recorded', async () => {
    net.domain('unlisted.test', { sts: { mode: 'testing', mx: ['*.elsewhere.test'] } })
    await assertDeliveredOverTls(net, await mailTo(net, 'unlisted.test'), 'mx1.unlisted.test')
    await assertRecorded(net, 'unlisted.test', 'mx1: trusted; sts validation-failure (sts-policy-mx-mismatch)')
  })
})

describe('a host under an STS policy of mode none', () => {
  const net = sharedInternet()

  test('T26: is dealt with as without a policy, and recorded so', async () => {
    net.domain('none.test', { sts: { mode: 'none', mx: [] } })
    net.server('mx1.none.test', { offersTls: false })
    await assertDeliveredInClear(net, await mailTo(net, 'none.test'), 'mx1.none.test')
    await assertRecorded(
      net,
      'none.test',
      'mx1: clear-text; no-policy-found starttls-not-supported (starttls-not-offered)',
    )
  })

  test('T26: that it withdraws an enforced one holds at once', async () => {
    net.domain('withdrawn.test', { sts: { mx: ['gone.test'] } })
    assertDeferred(await mailTo(net, 'withdrawn.test'), '4.7.5', /does not list/)
    net.sts('withdrawn.test', { mode: 'none', mx: [] })
    await assertDeliveredOverTls(net, await mailTo(net, 'withdrawn.test'), 'mx1.withdrawn.test')
  })
})
