import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { domainNames } from './far-end.ts'
import { harakaVersions } from './haraka.ts'
import { assertDeferred, assertLogged, logged, loggedNow, sendTo, type Fate } from './telling.ts'

const settings = {
  'rule:starttls': { 'if-rcpt-domain': ['*.starttls.test'], starttls: 'require' },
  'rule:dane': { 'if-rcpt-domain': ['*.dane.test'], dane: 'require' },
  'rule:sts': { 'if-rcpt-domain': ['*.sts.test'], 'mta-sts': 'require' },
}

describe('TLS-Required: No', () => {
  const net = sharedInternet({ settings })
  const newDomain = domainNames('no')

  const sendFreed = (domain: string): Promise<Fate> => sendTo(net, domain, { headers: { 'TLS-Required': 'No' } })
  const declare = (first: ServerOptions, options: object = { signed: true }, domain = newDomain()): string => {
    net.domain(domain, options)
    net.server(`mx1.${domain}`, first)
    return domain
  }
  /** One outcome: what the policies say of the session, by themselves. */
  const assertRecorded = async (domain: string, failure: RegExp): Promise<void> => {
    const outcomes = await logged(net, `outcome for ${domain} at`)
    assert.equal(outcomes.length, 1, outcomes.join('\n'))
    assert.match(outcomes[0] ?? '', failure)
  }

  test('Q7: a certificate that no TLSA record matches gets the message over TLS, and the failure is recorded', async () => {
    const domain = declare({ tlsa: '3 1 1 of other' })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    assertNothingInClear(net.server(`mx1.${domain}`))
    await assertLogged(net, `mx1.${domain}`, 'TLS-Required: No: would have been refused: DANE')
    await assertRecorded(domain, /tlsa mx1\.\S+ validation-failure \(dane-no-match\)/)
  })

  test('Q7: an expired certificate under an enforced policy gets the message', async () => {
    const domain = declare({ certificate: 'expired' }, { sts: {} })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    assertNothingInClear(net.server(`mx1.${domain}`))
    await assertRecorded(domain, /sts \S+ certificate-expired/)
  })

  test('Q7: a host that the policy does not list gets the message', async () => {
    const domain = declare({}, { sts: { mx: ['elsewhere.test'] } })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    await assertLogged(net, `refused mx1.${domain}`, 'does not list', 'TLS-Required: No: tried all the same')
    await assertRecorded(domain, /sts \S+ validation-failure \(sts-policy-mx-mismatch\)/)
  })

  test('Q8: STARTTLS that is not offered, or refused: clear text, and the failure is recorded', async () => {
    for (const behaviour of [{ offersTls: false }, { starttls: '454 4.7.0 not now' }]) {
      const domain = declare({ ...behaviour, tlsa: '3 1 1' })
      assert.equal((await sendFreed(domain)).fate, 'delivered')
      assert.equal((await net.server(`mx1.${domain}`).nextMessage()).tls, false)
      await assertRecorded(domain, /starttls-not-supported/)
    }
  })

  test('Q8: a handshake that fails is tried, then clear text', async () => {
    const domain = declare({ tlsa: '3 1 1', handshake: 'reset-after-client-hello' })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    assert.equal(net.server(`mx1.${domain}`).connections.length, 2)
    await assertLogged(net, `Clear-text connection to mx1.${domain}`, 'TLS-Required: No')
    await assertRecorded(domain, /handshake-failed/)
  })

  test('a certificate that does not validate, without any policy, gets the message at the first attempt', async () => {
    const domain = declare({ certificate: 'foreign' }, {})
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    assertNothingInClear(net.server(`mx1.${domain}`))
    await assertRecorded(domain, /no-policy-found \S+ certificate-not-trusted/)
  })

  test('a TLSA lookup that fails is passed over; an MX lookup that fails leads nowhere', async () => {
    const domain = declare({ tlsa: '3 1 1', tlsaDns: { security: 'bogus' } })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    const lost = declare({}, { dns: { security: 'bogus' } })
    assertDeferred(await sendFreed(lost), '4.4.3')
  })

  test('where all is in order, it is as ever', async () => {
    const domain = declare({ tlsa: '3 1 1' })
    assert.equal((await sendFreed(domain)).fate, 'delivered')
    await assertLogged(net, 'Verified TLS connection to', `mx1.${domain}`)
    await assertRecorded(domain, /verified.*tlsa mx1\.\S+ success/)
    assert.deepEqual(loggedNow(net, domain, 'would have been'), [])
  })

  test('what the administrator requires still holds', async () => {
    for (const [parent, status] of [
      ['starttls.test', '4.7.4'],
      ['dane.test', '4.7.5'],
      ['sts.test', '4.7.5'],
    ] as const) {
      const domain = declare({ offersTls: false }, {}, `${newDomain().replace('.test', '')}.${parent}`)
      assertDeferred(await sendFreed(domain), status)
      assertNothingInClear(net.server(`mx1.${domain}`))
    }
  })

  test('Q8: a server that itself wants TLS sends the message back', async () => {
    const domain = declare({ offersTls: false, mail: '530 5.7.0 Must issue a STARTTLS command first' })
    const { fate, recipient } = await sendFreed(domain)
    assert.deepEqual([fate, recipient.response], ['bounced', 'Must issue a STARTTLS command first'])
  })

  test('a retry is as free as the first attempt', async () => {
    const domain = declare({ tlsa: '3 1 1 of other', rcpt: '450 4.2.1 later' })
    const first = await sendFreed(domain)
    assert.equal(first.fate, 'deferred')
    net.server(`mx1.${domain}`).behave({ rcpt: '250 ok' })
    assert.deepEqual((await net.haraka.retry(first.outcome)).deferred, [])
  })
})

describe('what is no TLS-Required: No', () => {
  const net = sharedInternet()

  const holds = async (header: string): Promise<boolean> => {
    net.domain('held.test', { signed: true })
    net.server('mx1.held.test', { tlsa: '3 1 1 of other' })
    const { fate } = await sendTo(net, 'held.test', { data: `Subject: x\n${header}\nTo: <one@held.test>\n\nHello.\n` })
    return fate === 'deferred'
  }

  for (const header of [
    'TLS-Required: Yes',
    'TLS-Required:',
    'TLS-Required: "No"',
    'TLS-Required: No, thanks',
    'TLS-Required: No (really)',
    'TLS-Required: No\nTLS-Required: No',
    'TLS-Required: No\nSubject: y\ntls-required: Yes',
    'X-TLS-Required: No',
    'TLS-Require: No',
    'Subject: x\n\nTLS-Required: No',
  ])
    test(`${JSON.stringify(header)} holds to the policy`, async () => assert.ok(await holds(header)))

  for (const header of [
    'TLS-Required: No',
    'tls-required:no',
    'TLS-REQUIRED: NO',
    'TLS-Required:\n No',
    'Tls-Required:\n\tnO ',
  ])
    test(`${JSON.stringify(header)} does not`, async () => assert.ok(!(await holds(header))))

  test('what is ignored is logged', async () => {
    assert.ok((await logged(net, 'TLS-Required is there more than once', /[0-9A-F-]{36}/)).length > 0)
    assert.ok((await logged(net, 'TLS-Required has a value other than No')).length > 0)
  })

  test('none is, with tls-required-no = false, not even of what is in the queue', async () => {
    net.domain('queued.test', { signed: true })
    net.server('mx1.queued.test', { tlsa: '3 1 1 of other', rcpt: '450 4.2.1 later' })
    const first = await sendTo(net, 'queued.test', { headers: { 'TLS-Required': 'No' } })
    assert.match(first.recipient.response ?? '', /later/)

    assert.ok(await net.haraka.reconfigure('outbound-tls.ini', net.settings({ main: { 'tls-required-no': false } })))
    const again = await net.haraka.retry(first.outcome)
    assert.equal(again.deferred.length, 1)
    assert.match(again.deferred[0]?.error ?? '', /DANE/)
    assert.ok(await holds('TLS-Required: No'))
  })
})

for (const version of harakaVersions)
  describe(`TLS-Required: No with Haraka ${version}`, () => {
    const net = sharedInternet({ haraka: { version } })

    test('frees a message, also behind a restart', async () => {
      net.domain('freed.test', { signed: true })
      const server = net.server('mx1.freed.test', { tlsa: '3 1 1 of other', rcpt: '450 4.2.1 later' })
      await sendTo(net, 'freed.test', { headers: { 'TLS-Required': 'No' } })
      await net.haraka.restart()
      server.behave({ rcpt: '250 ok' })
      assert.ok(await net.haraka.flush())
      assert.equal((await server.nextMessage()).tls, true)
    })
  })
