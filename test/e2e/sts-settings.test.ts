import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedInternet } from '../internet/index.ts'
import type { DomainOptions } from '../internet/domains.ts'
import {
  assertDeferred,
  assertDeliveredInClear,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  assertNotConnected,
} from './far-end.ts'
import { assertRecorded, discoveriesOf, fetchesOf, mailTo, recordedFor } from './sts-evidence.ts'

const file = 'outbound-tls.ini'

describe('mta-sts = require', () => {
  const net = sharedInternet({
    settings: { 'rule:required': { 'if-rcpt-domain': ['*.test'], 'mta-sts': 'require', reason: 'contract' } },
  })

  /** What a domain has, and what is said of it. */
  const wanting: readonly (readonly [string, DomainOptions, RegExp])[] = [
    ['no policy', {}, /no STS record/],
    ['no policy but perfect DANE', { signed: true }, /no STS record/],
    ['two records', { sts: { records: ['v=STSv1; id=1', 'v=STSv1; id=2'] } }, /several STS records/],
    ['a policy of mode none', { sts: { mode: 'none', mx: [] } }, /mode none/],
    ['a policy that cannot be fetched', { sts: { status: 404 } }, /HTTP status 404/],
    ['a policy host with a wrong certificate', { sts: { certificate: 'expired' } }, /certificate refused/],
  ]
  for (const [index, [what, options, text]] of wanting.entries()) {
    test(`a domain with ${what} gets no mail: it waits, and says why`, async () => {
      const domain = `wanting${index}.test`
      net.domain(domain, options)
      if (options.signed) net.server(`mx1.${domain}`, { tlsa: '3 1 1' })
      const outcome = await mailTo(net, domain)
      assertDeferred(outcome, '4.7.5', /MTA-STS is required \(\[rule:required\]: contract\)/)
      assertDeferred(outcome, '4.7.5', text)
      assertNotConnected(net, `mx1.${domain}`)
    })
  }

  test('a domain whose record cannot be looked up gets no mail either', async () => {
    net.domain('failing.test')
    net.dns.declare('_mta-sts.failing.test', { trouble: 'servfail' })
    assertDeferred(await mailTo(net, 'failing.test'), '4.7.5', /required.*SERVFAIL/)
    assertNotConnected(net, 'mx1.failing.test')
  })

  for (const mode of ['enforce', 'testing']) {
    test(`a policy in ${mode} is enforced`, async () => {
      const domain = `${mode}.test`
      net.domain(domain, { mx: ['mx1', 'mx2', 'mx3'], sts: { mode, mx: [`mx2.${domain}`, `mx3.${domain}`] } })
      net.server(`mx2.${domain}`, { certificate: 'expired' })
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx3.${domain}`)
      assertNotConnected(net, `mx1.${domain}`)
      assertNoMail(net, `mx2.${domain}`)
    })
  }
})

describe('mta-sts = disable, and routes of others', () => {
  const net = sharedInternet({
    settings: { 'rule:disabled': { 'if-rcpt-domain': ['*.disabled.test'], 'mta-sts': 'disable' } },
    haraka: { plugins: ['static-routes', 'outbound-tls'] },
  })

  test('an enforced policy is neither looked up nor applied where a rule disables it', async () => {
    net.domain('d.disabled.test', { sts: { mx: ['other.test'] } })
    await assertDeliveredOverTls(net, await mailTo(net, 'd.disabled.test'), 'mx1.d.disabled.test')
    assert.equal(discoveriesOf(net, 'd.disabled.test'), 0)
    await assertRecorded(net, 'd.disabled.test', 'mx1: trusted; no-policy-found success')
  })

  test("RFC 8461 3.4: a relay has the policy of its own name; the recipient's counts for nothing", async () => {
    net.domain('routed.test', { sts: { mx: ['other.test'] } })
    const server = net.server('relay.test')
    net.sts('relay.test', { mx: ['relay.test'] })
    net.haraka.setRoutes({ 'routed.test': { exchange: server.address, port: server.port, from_dns: 'relay.test' } })
    await assertDeliveredOverTls(net, await mailTo(net, 'routed.test'), 'relay.test')
    assert.deepEqual([discoveriesOf(net, 'routed.test'), discoveriesOf(net, 'relay.test')], [0, 1])
    await assertLogged(net, 'outcome for relay.test at relay.test: verified', 'sts relay.test success')
    server.behave({ offersTls: false })
    assertDeferred(await mailTo(net, 'routed.test'), '4.7.4', /MTA-STS: the enforce policy of relay\.test asks for TLS/)
    net.haraka.setRoutes({})
  })

  test('a relay that its own policy does not list is refused, with the rule to write; that rule opens it', async () => {
    const { address, port } = net.server('unlisted.test')
    net.sts('unlisted.test', { mx: ['other.test'] })
    net.haraka.setRoutes({ 'through.test': { exchange: address, port, from_dns: 'unlisted.test' } })
    const advice = /a rule with if-mx\[\] = unlisted\.test, if-route = static and mta-sts = disable/
    assertDeferred(await mailTo(net, 'through.test'), '4.7.5', advice)
    await assertLogged(net, '[WARN]', 'refused unlisted.test for through.test', 'does not list unlisted.test')
    const rule = { 'if-mx': ['unlisted.test'], 'if-route': 'static', 'mta-sts': 'disable' }
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ 'rule:relay': rule }))
    await assertDeliveredOverTls(net, await mailTo(net, 'through.test'), 'unlisted.test')
    net.haraka.setRoutes({})
  })

  test('a relay whose policy cannot be looked up gets the mail as without one, as do others where [main] requires policies', async () => {
    const { address, port } = net.server('broken.test', { offersTls: false })
    net.dns.declare('_mta-sts.broken.test', { trouble: 'servfail' })
    net.haraka.setRoutes({ 'behind.test': { exchange: address, port, from_dns: 'broken.test' } })
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ main: { 'mta-sts': 'require' } }))
    await assertDeliveredInClear(net, await mailTo(net, 'behind.test'), 'broken.test')
    await net.haraka.reconfigure('outbound-tls.ini', net.settings())
    net.haraka.setRoutes({})
  })
})

describe('a reload', () => {
  const net = sharedInternet()

  for (const [what, changes, lookups] of [
    ['of something else keeps the STS resolver, with what it is about to do', { main: { starttls: 'require' } }, 1],
    ['of [mta-sts] replaces it', { 'mta-sts': { refresh: '2d' } }, 2],
    ['of mta-sts-timeout replaces it', { main: { 'mta-sts-timeout': '50s' } }, 2],
  ] as const) {
    test(`${what}; nobody is let down, and one fetch is enough`, async () => {
      const domain = `kept-${lookups}-${Object.values(changes).flatMap(Object.keys).join('')}.test`
      net.domain(domain, { sts: { delay: 1000 } })
      const first = mailTo(net, domain)
      await untilTrue(() => net.policyHosts.requests.some(({ host }) => host === `mta-sts.${domain}`))
      await net.haraka.reconfigure(file, net.settings(changes))
      for (const outcome of await Promise.all([first, mailTo(net, domain)]))
        await assertDeliveredOverTls(net, outcome, `mx1.${domain}`)
      assert.equal(discoveriesOf(net, domain), lookups)
      assert.equal(net.policyHosts.requests.filter(({ host }) => host === `mta-sts.${domain}`).length, 1)
      await assertRecorded(net, domain, 'mx1: verified; sts success', 'mx1: verified; sts success')
    })
  }

  test('of ca-file holds for the next fetch; what is cached stays', async () => {
    await net.haraka.reconfigure(file, net.settings())
    net.domain('anchored.test', { sts: {} })
    await assertDeliveredOverTls(net, await mailTo(net, 'anchored.test'), 'mx1.anchored.test')

    await net.haraka.reconfigure(file, net.settings({ main: { 'ca-file': '', 'allow-invalid-certs': true } }))
    assertDeferred(await mailTo(net, 'anchored.test'), '4.7.5', /MTA-STS: the certificate of mx1.*UNABLE/)
    net.domain('unanchored.test', { sts: {} })
    await assertDeliveredOverTls(net, await mailTo(net, 'unanchored.test'), 'mx1.unanchored.test')
    await assertLogged(net, 'outcome for unanchored.test at no host', 'sts-webpki-invalid')
    await net.haraka.reconfigure(file, net.settings())
  })

  test('T16: of allow-private-addresses: policy hosts on private addresses are refused, and say so', async () => {
    await net.haraka.reconfigure(file, net.settings({ 'mta-sts': { 'allow-private-addresses': false } }))
    net.domain('private.test', { sts: {} })
    net.server('mx1.private.test', { offersTls: false })
    await assertDeliveredInClear(net, await mailTo(net, 'private.test'), 'mx1.private.test')
    assert.deepEqual(
      net.policyHosts.handshakes.filter((name) => name === 'mta-sts.private.test'),
      [],
    )
    await assertLogged(
      net,
      'outcome for private.test at no host: policy-fetch; sts private.test sts-policy-fetch-error',
    )
    await net.haraka.reconfigure(file, net.settings())
  })
})

describe('where an STS policy refuses every host', () => {
  const net = sharedInternet()

  /** Mail waits, because of a policy that the resolver remembers the record of; the next attempt is the last. */
  async function waiting(domain: string): ReturnType<typeof mailTo> {
    await net.haraka.setIntervals([3600])
    net.domain(domain, { sts: { id: '1', mx: ['old.test'] } })
    net.dns.declare(`_mta-sts.${domain}`, { ttl: 300 })
    const outcome = await mailTo(net, domain)
    assertDeferred(outcome, '4.7.5', /does not list/)
    await net.haraka.setIntervals([])
    return outcome
  }

  for (const [name, what, change] of [
    ['listed', 'with the right MX', {}],
    ['withdrawn', 'of mode none', { mode: 'none', mx: [] }],
  ] as const) {
    test(`T27: a new policy ${what} is found, and the mail delivered`, async () => {
      const domain = `${name}.test`
      const outcome = await waiting(domain)
      net.sts(domain, { id: '2', ...change })
      await assertDeliveredOverTls(net, await net.haraka.retry(outcome), `mx1.${domain}`)
      await assertLogged(net, `${domain} has a new MTA-STS policy: one more try at once`)
    })
  }

  test('T27: a new policy is found at that attempt, though the resolver remembers the old record', async () => {
    const domain = 'moved.test'
    const outcome = await waiting(domain)
    await net.haraka.setIntervals([3600, 3600, 3600])
    net.sts(domain, { id: '2' })
    await assertDeliveredOverTls(net, await net.haraka.retry(outcome), `mx1.${domain}`)
  })

  test('T27: a message that bounces while nobody can be asked says so', async () => {
    const domain = 'unasked.test'
    const outcome = await waiting(domain)
    net.dns.declare(`_mta-sts.${domain}`, { trouble: 'servfail' })
    const { bounced } = await net.haraka.retry(outcome)
    assert.match(
      bounced[0]?.error ?? '',
      /does not list.*; it could not be looked up whether there is a new MTA-STS policy/,
    )
    assertNotConnected(net, `mx1.${domain}`)
  })

  /** how a new policy turns out, and how many fetches fail */
  for (const [name, what, publish, fails = 0] of [
    ['same', 'the same policy', () => undefined],
    ['gone', 'no policy any more', (domain) => net.dns.declare(`_mta-sts.${domain}`, { TXT: [] })],
    ['worse', 'a new policy without the MX', (domain) => net.sts(domain, { id: '2', mx: ['other.test'] })],
    ['unfetched', 'a new policy that nobody serves', (domain) => net.sts(domain, { id: '2', status: 404 }), 1],
  ] as readonly (readonly [string, string, (domain: string) => void, number?])[]) {
    test(`T27: ${what} is found, and the mail bounces, having gone nowhere`, async () => {
      const domain = `${name}.test`
      const outcome = await waiting(domain)
      publish(domain)
      const { bounced } = await net.haraka.retry(outcome)
      assert.match(bounced[0]?.error ?? '', /does not list/)
      assert.ok(discoveriesOf(net, domain) >= 2)
      assert.ok(fetchesOf(net, domain) <= 2)
      assertNotConnected(net, `mx1.${domain}`)
      const violations = recordedFor(net, domain).filter((text) => !text.includes('policy-fetch'))
      assert.deepEqual(new Set(violations), new Set(['mx1: refused; sts validation-failure (sts-policy-mx-mismatch)']))
      assert.equal(recordedFor(net, domain).length - violations.length, fails)
    })
  }
})

async function untilTrue(condition: () => boolean): Promise<void> {
  for (let patience = 200; patience > 0 && !condition(); patience--) await sleep(10)
  assert.ok(condition())
}
