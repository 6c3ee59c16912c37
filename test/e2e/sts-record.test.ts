import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedInternet, type PrivateInternet } from '../internet/index.ts'
import type { NameData } from '../internet/zone.ts'
import { assertDeferred, assertDeliveredInClear, assertDeliveredOverTls, assertNoMail } from './far-end.ts'
import { assertRecorded, discoveriesOf, fetchesOf, mailTo } from './sts-evidence.ts'
import { assertLogged, logged, loggedNow } from './telling.ts'

const good = 'v=STSv1; id=1;'
/** Records that announce a policy, and cannot be used. */
const unusable: Readonly<Record<string, string>> = {
  two: 'several STS records, which count as none',
  'no-id': 'a malformed STS record',
  'bad-id': 'a malformed STS record',
}

/** What may be wrong with a record. None of it is a policy, none of it is the end of one. */
const troubles: readonly (readonly [string, string, NameData])[] = [
  ['gone', 'T4: a record that is not there', { TXT: [] }],
  ['two', 'T4: two records', { TXT: [good, 'v=STSv1; id=2;'] }],
  ['no-id', 'T2: a record without id', { TXT: ['v=STSv1; mode=enforce;'] }],
  ['bad-id', 'T2: a record with a malformed id', { TXT: ['v=STSv1; id=a-b;'] }],
  ['lower-case', 'T2: a record of version stsv1', { TXT: ['v=stsv1; id=1;'] }],
  ['not-first', 'T3: a record that does not begin with its version', { TXT: ['id=1; v=STSv1;'] }],
  ['servfail', 'T18: a lookup that ends in SERVFAIL', { trouble: 'servfail' }],
  ['unreachable', 'T18: a lookup that reaches nobody', { trouble: 'unreachable' }],
  ['bogus', 'T18: a lookup that is bogus', { security: 'bogus' }],
  ['malformed', 'T18: a lookup that is answered with garbage', { trouble: 'malformed' }],
  ['timeout', 'T18: a lookup that is not answered', { trouble: 'timeout' }],
]

/** What may be with it and is as good as any. */
const harmless: readonly (readonly [string, string, NameData])[] = [
  ['others', 'T4: beside TXT records of other things', { TXT: ['v=spf1 -all', good, 'v=STSv10; id=2;'] }],
  ['strings', 'T1: in several character-strings', { TXT: [['v=ST', 'Sv1; i', 'd=1;']] }],
  ['fields', 'T5: with fields that nobody knows, and a second id', { TXT: ['v=STSv1; x.y=z; id=1; id=2'] }],
  ['spaces', 'T2: with spaces about its semicolons', { TXT: ['v=STSv1 ; id=1 ; '] }],
]

describe('the STS record', () => {
  const net = sharedInternet()

  for (const [name, what, record] of harmless) {
    test(`announces a policy ${what.slice(4)} (${what.slice(0, 2)})`, async () => {
      const domain = `${name}.test`
      declareStripped(net, domain, record)
      assertDeferred(await mailTo(net, domain), '4.7.4', /not offered.*enforce policy/)
    })
  }

  test('announces a policy at the end of a CNAME (T1)', async () => {
    declareStripped(net, 'alias.test', { TXT: [], CNAME: '_mta-sts.provider.test' })
    net.dns.declare('_mta-sts.provider.test', { TXT: [good] })
    assertDeferred(await mailTo(net, 'alias.test'), '4.7.4', /not offered.*enforce policy of alias\.test/)
  })

  test('is that of the domain itself: nobody asks the domain above it (T22)', async () => {
    net.domain('above.test', { sts: {} })
    net.domain('below.above.test', { mx: ['mx1'] })
    net.server('mx1.below.above.test', { offersTls: false })
    await assertDeliveredInClear(net, await mailTo(net, 'below.above.test'), 'mx1.below.above.test')
    assert.equal(discoveriesOf(net, 'above.test'), 0)
  })

  for (const [name, what, record] of troubles) {
    test(`${what} is no policy: the mail goes as without one`, async () => {
      const domain = `${name}.without.test`
      declareStripped(net, domain, record)
      await assertDeliveredInClear(net, await mailTo(net, domain), `mx1.${domain}`)
      assert.equal(fetchesOf(net, domain), 0)
      await assertRecorded(
        net,
        domain,
        'mx1: clear-text; no-policy-found starttls-not-supported (starttls-not-offered)',
      )
      await assertTold(domain, unusable[name])
    })

    test(`${what} leaves the policy in force that is cached`, async () => {
      const domain = `${name}.cached.test`
      net.domain(domain, { sts: { records: [good] } })
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      net.server(`mx1.${domain}`, { offersTls: false })
      net.dns.declare(`_mta-sts.${domain}`, record)
      const cached =
        /not offered; MTA-STS: the enforce policy of \S+ \(cached since 2\S+Z; now its record (?:is|cannot)/
      const several = /\(cached since 2\S+Z; now it has several records; "outbound-tls sts refresh/
      assertDeferred(await mailTo(net, domain), '4.7.4', name === 'two' ? several : cached)
      assertNoMail(net, `mx1.${domain}`)
      assert.equal(fetchesOf(net, domain), 1)
      const violation = 'mx1: refused; sts starttls-not-supported (starttls-not-offered)'
      await assertRecorded(net, domain, 'mx1: verified; sts success', violation)
    })
  }

  /** Once, though every message looks it up. */
  async function assertTold(domain: string, trouble: string | undefined): Promise<void> {
    const line = `MTA-STS: the record of ${domain} cannot be used: `
    if (trouble === undefined) return assert.deepEqual(loggedNow(net, line), [])
    await mailTo(net, domain)
    await assertLogged(net, '[WARN]', line, trouble)
    const inClear = await logged(net, `Clear-text connection to mx1.${domain}`, 'its MTA-STS policy cannot be used: it')
    assert.equal(inClear.length, 2)
  }

  test('T11: that is gone when the policy has expired leaves nothing in force', async () => {
    net.domain('expiring.test', { sts: { maxAge: 1 } })
    net.server('mx1.expiring.test', { offersTls: false })
    const first = await mailTo(net, 'expiring.test')
    assertDeferred(first, '4.7.4', /not offered/)
    net.dns.declare('_mta-sts.expiring.test', { TXT: [] })
    await sleep(1100)
    await assertDeliveredInClear(net, await net.haraka.retry(first), 'mx1.expiring.test')
  })

  test('T22: of an address literal is not looked for', async () => {
    const { address } = net.server('literal.test', { offersTls: false })
    await net.haraka.send({ to: `one@[${address}]` })
    assert.equal(net.server('literal.test').messages.length, 1)
    assert.equal(net.dns.queries.filter(({ name }) => name.includes(address)).length, 0)
  })
})

/** A domain with a policy whose only host has no STARTTLS: whether mail goes there tells whether the policy is in force. */
function declareStripped(net: PrivateInternet, domain: string, record: NameData): void {
  net.domain(domain, { sts: {} })
  net.server(`mx1.${domain}`, { offersTls: false })
  net.dns.declare(`_mta-sts.${domain}`, record)
}
