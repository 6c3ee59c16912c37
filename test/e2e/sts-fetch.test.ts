import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedInternet } from '../internet/index.ts'
import type { StsOptions } from '../internet/domains.ts'
import type { NameData } from '../internet/zone.ts'
import {
  assertDeferred,
  assertDeliveredInClear,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  domainNames,
  timed,
} from './far-end.ts'
import { assertRecorded, fetchesOf, mailTo } from './sts-evidence.ts'
import { logged } from './telling.ts'

interface Trouble {
  readonly sts?: StsOptions
  /** at the name of the policy host */
  readonly dns?: NameData
  /** what is recorded, without "sts-" */
  readonly type: 'policy-fetch-error' | 'policy-invalid' | 'webpki-invalid'
}

const elsewhere = { location: 'https://mta-sts.elsewhere.test/.well-known/mta-sts.txt' }
const policy = 'version: STSv1\nmode: enforce\nmx: *.test\nmax_age: 86400\n'

const troubles: Readonly<Record<string, Trouble>> = {
  'T14: answers 404': { sts: { status: 404 }, type: 'policy-fetch-error' },
  'T14: answers 500': { sts: { status: 500 }, type: 'policy-fetch-error' },
  'T14: answers 204': { sts: { status: 204, text: '' }, type: 'policy-fetch-error' },
  'T14: sends us elsewhere': { sts: { status: 301, headers: elsewhere }, type: 'policy-fetch-error' },
  'T7: has a page for it': { sts: { headers: { 'content-type': 'text/html' } }, type: 'policy-fetch-error' },
  'T16: is too large': { sts: { text: `${policy}${'x: y\n'.repeat(20_000)}` }, type: 'policy-fetch-error' },
  'T14: is cut off': { sts: { instead: 'cut-off' }, type: 'policy-fetch-error' },
  'T14: hangs up': { sts: { instead: 'reset' }, type: 'policy-fetch-error' },
  'T8: is empty': { sts: { text: '' }, type: 'policy-invalid' },
  'T8: has no mode': { sts: { text: policy.replace('mode: enforce\n', '') }, type: 'policy-invalid' },
  'T9: is no list of fields': { sts: { text: `<html>\n${policy}` }, type: 'policy-invalid' },
  'T13: has the certificate of another': { sts: { certificate: 'other-name' }, type: 'webpki-invalid' },
  'T13: has its name as CN only': { sts: { certificate: 'cn-only' }, type: 'webpki-invalid' },
  'T13: has an expired certificate': { sts: { certificate: 'expired' }, type: 'webpki-invalid' },
  'T13: has a self-signed certificate': { sts: { certificate: 'self-signed' }, type: 'webpki-invalid' },
  'T18: has no address': { dns: { A: [] }, type: 'policy-fetch-error' },
  'T18: has an address that cannot be looked up': { dns: { security: 'bogus' }, type: 'policy-fetch-error' },
}

/** They take as long as they may. */
const slow: Readonly<Record<string, Trouble>> = {
  'T16: says nothing': { sts: { instead: 'silence' }, type: 'policy-fetch-error' },
  'T16: drips': { sts: { instead: 'drip' }, type: 'policy-fetch-error' },
}

const TIMEOUT = 2000

describe('a policy host', () => {
  const net = sharedInternet({ settings: { main: { 'mta-sts-timeout': `${TIMEOUT}ms` } } })
  const newDomain = domainNames('fetch')
  const unreachable = (): Trouble => ({ sts: { address: net.policyHosts.deserted }, type: 'policy-fetch-error' })

  for (const [what, trouble] of Object.entries({ ...troubles, 'T18: is not there': unreachable })) {
    withoutCached(what, trouble)
    withCached(what, trouble)
  }
  describe('that takes its time', { concurrency: true }, () => {
    for (const [what, trouble] of Object.entries(slow)) {
      withoutCached(what, trouble)
      withCached(what, trouble)
    }
  })

  function withoutCached(what: string, trouble: Trouble | (() => Trouble)): void {
    test(`${what}: without a cached policy the mail goes as without one, and a failure is recorded once (T17, T15)`, async () => {
      const domain = newDomain()
      const { type } = publish(domain, typeof trouble === 'function' ? trouble() : trouble, () => net.domain(domain))
      net.server(`mx1.${domain}`, { offersTls: false })
      const session = 'mx1: clear-text; no-policy-found starttls-not-supported (starttls-not-offered)'

      const { result, took } = await timed(() => mailTo(net, domain))
      await assertDeliveredInClear(net, result, `mx1.${domain}`)
      assert.ok(took < TIMEOUT + 2000, `${took} ms`)
      await assertRecorded(net, domain, `no host: policy-fetch; sts sts-${type}`, session)

      await assertDeliveredInClear(net, await mailTo(net, domain), `mx1.${domain}`)
      await assertRecorded(net, domain, `no host: policy-fetch; sts sts-${type}`, session, session)
      assert.equal(fetchesOf(net, domain), 1)
      assert.equal(
        (await logged(net, '[WARN]', `the policy that ${domain} announces (id `, ') cannot be used: ')).length,
        1,
      )
      const inClear = `STARTTLS is not offered; its MTA-STS policy could not be fetched (${domain}), and no other one`
      assert.equal((await logged(net, `Clear-text connection to mx1.${domain}`, inClear)).length, 2)
    })
  }

  function withCached(what: string, trouble: Trouble | (() => Trouble)): void {
    test(`${what}: a cached policy stays in force, and a failure is recorded once (T18, T15)`, async () => {
      const domain = newDomain()
      net.domain(domain, { sts: {} })
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      net.server(`mx1.${domain}`, { offersTls: false })
      const { type } = publish(domain, typeof trouble === 'function' ? trouble() : trouble)
      const refusal = new RegExp(
        `not offered; MTA-STS: the enforce policy of \\S+ \\(cached since 2\\S+Z; now it has changed, and (?:cannot|could not) be fetched; "outbound-tls sts refresh ${domain}"`,
      )

      for (let messages = 0; messages < 2; messages++) assertDeferred(await mailTo(net, domain), '4.7.4', refusal)
      assertNoMail(net, `mx1.${domain}`)
      assert.equal(fetchesOf(net, domain), 2)
      const violation = 'mx1: refused; sts starttls-not-supported (starttls-not-offered)'
      const failure = `no host: policy-fetch; sts sts-${type}`
      await assertRecorded(net, domain, 'mx1: verified; sts success', failure, violation, violation)
      const unusable = `MTA-STS: the policy that ${domain} announces (id troubled) cannot be used: `
      const [told, ...more] = await logged(net, '[WARN]', unusable)
      assert.match(told ?? '', /; the one in the cache goes on applying\. RFC 8461/)
      assert.deepEqual(more, [])
    })
  }

  /** The policy is there under a new id, but for the trouble. */
  function publish(domain: string, trouble: Trouble, before = (): void => undefined): Trouble {
    before()
    net.sts(domain, { id: 'troubled', ...trouble.sts })
    if (trouble.dns !== undefined) net.dns.declare(`mta-sts.${domain}`, trouble.dns)
    return trouble
  }

  test('T14: is not left for another one that it names', () => {
    assert.deepEqual(
      net.policyHosts.handshakes.filter((name) => name === 'mta-sts.elsewhere.test'),
      [],
    )
  })

  test('T18: is asked at its other address where the first is dead', async () => {
    net.domain('two.test', { sts: {} })
    net.dns.declare('mta-sts.two.test', { A: [net.policyHosts.deserted, net.policyHosts.address] })
    await assertDeliveredOverTls(net, await mailTo(net, 'two.test'), 'mx1.two.test')
    await assertRecorded(net, 'two.test', 'mx1: verified; sts success')
  })

  test('T15: that failed is left alone for a minute, whatever the id', async () => {
    net.domain('mended.test', { sts: { status: 500, id: '1' } })
    net.server('mx1.mended.test', { offersTls: false })
    await assertDeliveredInClear(net, await mailTo(net, 'mended.test'), 'mx1.mended.test')
    net.sts('mended.test', { id: '2' })
    await assertDeliveredInClear(net, await mailTo(net, 'mended.test'), 'mx1.mended.test')
    assert.equal(fetchesOf(net, 'mended.test'), 1)
  })

  test('T5: has a new policy under a new id: it holds at once, and not before', async () => {
    net.domain('changed.test', { mx: ['mx1', 'mx2'], sts: { id: '1', mx: ['mx1.changed.test'] } })
    await assertDeliveredOverTls(net, await mailTo(net, 'changed.test'), 'mx1.changed.test')
    net.sts('changed.test', { id: '1', mx: ['mx2.changed.test'] })
    await assertDeliveredOverTls(net, await mailTo(net, 'changed.test'), 'mx1.changed.test')
    net.sts('changed.test', { id: '2', mx: ['mx2.changed.test'] })
    await assertDeliveredOverTls(net, await mailTo(net, 'changed.test'), 'mx2.changed.test')
    assert.equal(fetchesOf(net, 'changed.test'), 2)
  })

  test('T17: that fails when the cached policy has expired leaves none in force', async () => {
    net.domain('expired.test', { sts: { id: '1', maxAge: 1 } })
    net.server('mx1.expired.test', { offersTls: false })
    assertDeferred(await mailTo(net, 'expired.test'), '4.7.4', /not offered/)
    net.sts('expired.test', { id: '1', status: 500 })
    await sleep(1100)
    await assertDeliveredInClear(net, await mailTo(net, 'expired.test'), 'mx1.expired.test')
    await assertRecorded(
      net,
      'expired.test',
      'mx1: refused; sts starttls-not-supported (starttls-not-offered)',
      'no host: policy-fetch; sts sts-policy-fetch-error',
      'mx1: clear-text; no-policy-found starttls-not-supported (starttls-not-offered)',
    )
  })

  test('T12: has its policy fetched again when that has expired', async () => {
    net.domain('short.test', { sts: { maxAge: 1 } })
    await mailTo(net, 'short.test')
    await sleep(1100)
    await assertDeliveredOverTls(net, await mailTo(net, 'short.test'), 'mx1.short.test')
    assert.equal(fetchesOf(net, 'short.test'), 2)
  })

  test('T11: says 0 seconds: its policy holds for the message at hand', async () => {
    net.domain('zero.test', { sts: { maxAge: 0 } })
    net.server('mx1.zero.test', { offersTls: false })
    for (const fetches of [1, 2]) {
      assertDeferred(await mailTo(net, 'zero.test'), '4.7.4', /not offered; MTA-STS/)
      assert.equal(fetchesOf(net, 'zero.test'), fetches)
    }
  })

  test('T16: that hangs holds no other domain', { concurrency: false }, async () => {
    net.domain('hanging.test', { sts: { instead: 'silence' } })
    net.domain('lively.test', { sts: {} })
    const held = timed(() => mailTo(net, 'hanging.test'))
    const { took } = await timed(() => mailTo(net, 'lively.test'))
    assert.ok(took < TIMEOUT / 2, `${took} ms`)
    const { result } = await held
    await assertDeliveredOverTls(net, result, 'mx1.hanging.test')
    await assertLogged(net, 'outcome for hanging.test at no host: policy-fetch')
  })

  test('T16: that hangs is waited for beside a slow DNS, not behind it', async () => {
    net.domain('slow.test', { sts: { instead: 'silence' }, dns: { delay: 900 } })
    net.dns.declare('mta-sts.slow.test', { delay: 900 })
    const { result, took } = await timed(() => mailTo(net, 'slow.test'))
    await assertDeliveredOverTls(net, result, 'mx1.slow.test')
    assert.ok(took < TIMEOUT + 1500, `${took} ms`)
  })
})
