import { describe, test } from 'node:test'
import { sharedInternet, type PrivateInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredOverTls, assertLogged, assertNoMail, assertNotConnected } from './far-end.ts'
import { assertRecorded, mailTo } from './sts-evidence.ts'

/** How one host fares under DANE, and what is recorded of it. */
const byDane = {
  'DANE passes': { matches: true, recorded: 'tlsa mx1 success' },
  'DANE fails': { matches: false, recorded: 'tlsa mx1 validation-failure (dane-no-match)' },
}
/** How it fares under the STS policy, and what is recorded of it. */
const bySts = {
  'STS passes': { isListed: true, certificate: 'leaf', recorded: 'sts success' },
  'STS fails by the certificate': {
    isListed: true,
    certificate: 'self-signed',
    recorded: 'sts certificate-not-trusted (self-signed)',
  },
  'STS fails by the list': {
    isListed: false,
    certificate: 'leaf',
    recorded: 'sts validation-failure (sts-policy-mx-mismatch)',
  },
} as const
type DaneCase = keyof typeof byDane
type StsCase = keyof typeof bySts

describe('a host with TLSA records of a domain with an enforced STS policy', () => {
  const net = sharedInternet({
    settings: {
      'rule:both': { 'if-rcpt-domain': ['*.both.test'], 'dane-and-mta-sts': 'both' },
      'rule:lenient': { 'if-rcpt-domain': ['*.lenient.test'], 'allow-invalid-certs': true },
      'rule:may': { 'if-rcpt-domain': ['*.may.test'], 'insecure-mx': 'may' },
      'rule:encrypt': { 'if-rcpt-domain': ['*.encrypt.test'], 'insecure-mx': 'encrypt' },
    },
  })

  let last = 0
  for (const setting of ['dane', 'both'] as const)
    for (const mx of ['secure', 'insecure'] as const)
      for (const dane of Object.keys(byDane) as DaneCase[])
        for (const sts of Object.keys(bySts) as StsCase[]) {
          const domain = `d${++last}.${setting}.test`
          const daneDecides = setting === 'dane' && mx === 'secure'
          const passes = byDane[dane].matches && (daneDecides || sts === 'STS passes')
          const rule = daneDecides ? 'last row of the table' : 'T31, RFC 8461 5'
          test(`${rule}: ${setting}, ${mx} MX, ${dane}, ${sts}: ${passes ? 'delivered' : 'refused'}`, async () => {
            declare(net, domain, mx, dane, sts)
            const outcome = await mailTo(net, domain)
            if (passes) await assertDeliveredOverTls(net, outcome, `mx1.${domain}`)
            else assertDeferred(outcome, '4.7.5', /no host of .* satisfied its policy/)
            if (!passes) assertNoMail(net, `mx1.${domain}`)
            const level = passes ? 'verified' : 'refused'
            // what the policy rules out before anybody connects has no session for DANE to judge
            const hasSession = daneDecides || bySts[sts].isListed
            const recorded = [...(hasSession ? [byDane[dane].recorded] : []), bySts[sts].recorded]
            await assertRecorded(net, domain, `mx1: ${level}; ${recorded.join('; ')}`)
          })
        }

  for (const setting of ['dane', 'both']) {
    test(`${setting}: an attacker's host with perfect TLSA behind a forged MX record gets nothing (RFC 8461 5)`, async () => {
      const domain = `forged.${setting}.test`
      net.domain(domain, { sts: {} })
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)

      const attacker = `mx.attacker-of-${setting}.test`
      net.server(attacker, { signed: true, tlsa: '3 1 1' })
      net.dns.declare(domain, { MX: [`1 ${attacker}`, `10 mx1.${domain}`] })
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      assertNotConnected(net, attacker)
      await assertLogged(net, `refused ${attacker} for ${domain}: `, 'does not list', 'Next host')
    })
  }

  test("RFC 8461 5.1: an attacker's host does not win by hiding the STS record, either", async () => {
    net.domain('hidden.test', { sts: {} })
    await assertDeliveredOverTls(net, await mailTo(net, 'hidden.test'), 'mx1.hidden.test')
    net.server('mx.hider.test', { signed: true, tlsa: '3 1 1' })
    net.dns.declare('hidden.test', { MX: ['1 mx.hider.test'] })
    net.dns.declare('_mta-sts.hidden.test', { TXT: [] })
    assertDeferred(await mailTo(net, 'hidden.test'), '4.7.5', /does not list mx\.hider\.test/)
    assertNotConnected(net, 'mx.hider.test')
  })

  test('T31: a TLSA lookup that fails is no case for the STS policy: the host is skipped', async () => {
    net.domain('failing.test', { signed: true, sts: {} })
    net.server('mx1.failing.test', { tlsaDns: { trouble: 'servfail' } })
    assertDeferred(await mailTo(net, 'failing.test'), '4.7.5', /TLSA lookup failed/)
    assertNotConnected(net, 'mx1.failing.test')
  })

  test('D14: unusable TLSA records leave it to the STS policy, whatever allow-invalid-certs says', async () => {
    net.domain('unusable.lenient.test', { mx: ['mx1', 'mx2'], signed: true, sts: {} })
    net.server('mx1.unusable.lenient.test', { tlsa: '0 0 1', certificate: 'self-signed' })
    net.server('mx2.unusable.lenient.test', { tlsa: '0 0 1' })
    await assertDeliveredOverTls(net, await mailTo(net, 'unusable.lenient.test'), 'mx2.unusable.lenient.test')
    await assertRecorded(
      net,
      'unusable.lenient.test',
      'mx1: refused; tlsa mx1 tlsa-invalid (tlsa-unusable); sts certificate-not-trusted (self-signed)',
      'mx2: verified; tlsa mx2 tlsa-invalid (tlsa-unusable); sts success',
    )
  })

  for (const [setting, recorded] of [
    ['may', 'sts success'],
    ['encrypt', 'tlsa mx1 validation-failure (dane-no-match); sts success'],
  ] as const) {
    test(`D22: insecure-mx = ${setting} leaves it to the STS policy`, async () => {
      const domain = `d.${setting}.test`
      declare(net, domain, 'insecure', 'DANE fails', 'STS passes')
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      await assertRecorded(net, domain, `mx1: verified; ${recorded}`)
    })
  }

  test('T26: in testing DANE decides, and both are recorded', async () => {
    net.domain('tested.test', { signed: true, sts: { mode: 'testing', mx: ['other.test'] } })
    net.server('mx1.tested.test', { tlsa: '3 1 1', certificate: 'self-signed' })
    await assertDeliveredOverTls(net, await mailTo(net, 'tested.test'), 'mx1.tested.test')
    const violation = 'sts validation-failure (sts-policy-mx-mismatch)'
    await assertRecorded(net, 'tested.test', `mx1: verified; tlsa mx1 success; ${violation}`)
  })
})

function declare(net: PrivateInternet, domain: string, mx: 'secure' | 'insecure', dane: DaneCase, sts: StsCase): void {
  const { isListed, certificate } = bySts[sts]
  net.domain(domain, { signed: mx === 'secure', sts: isListed ? {} : { mx: ['elsewhere.test'] } })
  const tlsa = byDane[dane].matches ? '3 1 1' : '3 1 1 of other'
  net.server(`mx1.${domain}`, { signed: true, certificate, tlsa })
}
