import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import type { ServerOptions } from '../internet/mail-servers.ts'
import { assertNotConnected, domainNames } from './far-end.ts'
import { assertDeferred, assertLogged, fateIn, logged, loggedNow, sendTo, type Fate } from './telling.ts'

const settings = {
  main: { requiretls: true },
  'rule:lenient': { 'if-rcpt-domain': ['*.lenient.test'], audit: true, 'allow-invalid-certs': true },
  'rule:disabled': { 'if-rcpt-domain': ['*.disabled.test'], starttls: 'disable' },
}

/** How a host must be that a message with REQUIRETLS may go to. */
const fit: ServerOptions = { capabilitiesOnTls: ['REQUIRETLS'] }

describe('a message with REQUIRETLS', () => {
  const net = sharedInternet({ settings, haraka: { tls: true } })
  const newDomain = domainNames('req')

  const sendRequiring = (domain: string, from = 'sender@origin.test'): Promise<Fate> =>
    sendTo(net, domain, { from, tls: true, parameters: ['REQUIRETLS'] })
  const declare = (first: ServerOptions, options: object = { signed: true }): string => {
    const domain = newDomain()
    net.domain(domain, options)
    net.server(`mx1.${domain}`, first)
    return domain
  }
  const assertTaken = async (domain: string, host = `mx1.${domain}`): Promise<void> => {
    assert.equal((await sendRequiring(domain)).fate, 'delivered')
    const message = await net.server(host).nextMessage()
    assert.ok(message.tls)
    assert.deepEqual(message.parameters, ['REQUIRETLS'])
    assertNothingInClear(net.server(host))
  }
  const assertRefused = async (domain: string, status: string, ...texts: readonly RegExp[]): Promise<void> => {
    const { fate, recipient } = await sendRequiring(domain)
    assert.equal(fate, 'bounced', recipient.message)
    assert.equal(recipient.status, status, recipient.message)
    assert.equal(recipient.action, 'failed')
    for (const text of texts) assert.match(recipient.message ?? '', text)
    assert.deepEqual(net.server(`mx1.${domain}`).messages, [])
    assertNothingInClear(net.server(`mx1.${domain}`))
  }

  test('Q1: goes to a host with a signed MX record, a valid certificate and REQUIRETLS, and says so with MAIL', async () => {
    const domain = declare(fit)
    await assertTaken(domain)
    const { commands } = net.server(`mx1.${domain}`)
    assert.deepEqual(commands, ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
    await assertLogged(net, 'TLS connection to', `mx1.${domain}`, 'REQUIRETLS')
  })

  test('Q1: goes to a host that DANE proves', async () => {
    await assertTaken(declare({ ...fit, certificate: 'foreign', tlsa: '3 1 1' }))
  })

  test('Q3: goes to a host that an enforced MTA-STS policy lists, behind an unsigned MX record', async () => {
    await assertTaken(declare(fit, { sts: {} }))
  })

  test('Q3: goes to the domain itself where there is no MX record', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: [] })
    const server = net.server(domain, fit)
    assert.equal((await sendRequiring(domain)).fate, 'delivered')
    assert.deepEqual((await server.nextMessage()).parameters, ['REQUIRETLS'])
  })

  test('a message without it goes to the same host without the parameter', async () => {
    const domain = declare(fit)
    assert.equal((await sendTo(net, domain)).fate, 'delivered')
    assert.deepEqual((await net.server(`mx1.${domain}`).nextMessage()).parameters, [])
  })

  test('the parameter is on the MAIL command, never in a message that looks like one', async () => {
    const domain = declare(fit)
    const data = 'Subject: odd\n\nMAIL FROM:<a@b.test>\nRCPT TO:<c@d.test>\nDATA\n'
    const { fate } = await sendTo(net, domain, { tls: true, parameters: ['REQUIRETLS'], data })
    assert.equal(fate, 'delivered')
    const message = await net.server(`mx1.${domain}`).nextMessage()
    assert.match(message.data, /\r\nMAIL FROM:<a@b\.test>\r\nRCPT TO:<c@d\.test>\r\nDATA\r\n/)
    assert.doesNotMatch(message.data, /REQUIRETLS\r\n/)
  })

  test('Q4: a host without REQUIRETLS gets a QUIT, the next one the message', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
    const inClearOnly = '250-mx1\n250-REQUIRETLS\n250 STARTTLS'
    const without = net.server(`mx1.${domain}`, { ehlo: inClearOnly })
    net.server(`mx2.${domain}`, fit)
    await assertTaken(domain, `mx2.${domain}`)
    assert.deepEqual(without.commands, ['EHLO', 'STARTTLS', 'EHLO', 'QUIT'])
    await assertLogged(net, `refused mx1.${domain}`, 'REQUIRETLS is not offered', 'RFC 8689')
  })

  test('Q4: every host is without REQUIRETLS: 5.7.30 at once, with a text that names them', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
    net.server(`mx2.${domain}`, { ehloOnTls: '550-sorry\n550 REQUIRETLS' }) // a refusal offers nothing
    await assertRefused(domain, '5.7.30', /requires TLS \(REQUIRETLS\)/, /mx1\./, /mx2\./, /is not offered over TLS/)
    await assertLogged(net, `${domain} refused, 5.7.30`)
  })

  test('Q1: an unsigned MX record without a policy, with one in testing, or with one that does not list the host', async () => {
    for (const options of [{}, { sts: { mode: 'testing' } }, { sts: { mx: ['elsewhere.test'] } }]) {
      const domain = declare(fit, options)
      await assertRefused(domain, '5.7.30', /MTA-STS/)
      assertNotConnected(net, `mx1.${domain}`)
    }
  })

  test('Q4: no STARTTLS, or one that is refused for good: 5.7.10, and a QUIT', async () => {
    for (const behaviour of [{ offersTls: false }, { starttls: '502 5.5.1 no' }]) {
      const domain = declare(behaviour)
      await assertRefused(domain, '5.7.10', /STARTTLS/)
      assert.equal(net.server(`mx1.${domain}`).commands.at(-1), 'QUIT')
    }
  })

  test('Q4: a certificate that proves nothing: 5.7.10, and a QUIT', async () => {
    const wrong: readonly ServerOptions[] = [
      { certificate: 'foreign' },
      { certificate: 'expired' },
      { tlsa: '3 1 1 of other' },
    ]
    for (const behaviour of wrong) {
      const domain = declare({ ...fit, ...behaviour })
      await assertRefused(domain, '5.7.10')
      assert.deepEqual(net.server(`mx1.${domain}`).commands, ['EHLO', 'STARTTLS', 'QUIT'])
    }
  })

  test('Q4: a handshake that the host refuses: 5.7.10', async () => {
    await assertRefused(declare({ ...fit, handshake: 'alert' }), '5.7.10', /handshake/)
    await assertRefused(declare({ ...fit, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), '5.7.10')
  })

  test('some hosts without TLS, some without REQUIRETLS: 5.7.30', async () => {
    const domain = newDomain()
    net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
    net.server(`mx1.${domain}`, { offersTls: false })
    await assertRefused(domain, '5.7.30')
  })

  test('waits where a host could not be reached, looked up or asked', async () => {
    for (const [behaviour, status] of [
      [{ handshake: 'reset' }, '4.7.5'],
      [{ starttls: '454 4.7.0 not now' }, '4.7.4'],
      [{ greeting: '421 4.3.2 not now' }, '4.4.2'],
      [{ tlsa: '3 1 1', tlsaDns: { trouble: 'servfail' } }, '4.7.5'],
      [{ dns: { trouble: 'servfail' } }, '4.4.3'],
    ] as const) {
      const domain = newDomain()
      net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
      net.server(`mx1.${domain}`, behaviour)
      net.server(`mx2.${domain}`, {}) // for good, but not the only one
      const fate = await sendRequiring(domain)
      assert.equal(fate.fate, 'deferred', `${JSON.stringify(behaviour)}: ${fate.recipient.message}`)
      assert.match(fate.recipient.status ?? '', /^4\./)

      const alone = declare(behaviour)
      assertDeferred(await sendRequiring(alone), status)
    }
  })

  test('T27: waits where the policy that may list the host cannot be fetched, or its record not be looked up', async () => {
    const domain = declare(fit, { sts: { status: 500 } })
    const fate = await sendRequiring(domain)
    assertDeferred(
      fate,
      '4.7.5',
      /no enforced MTA-STS policy lists mx1.*as far as is known now: .*could not be fetched/,
    )
    assertNotConnected(net, `mx1.${domain}`)

    const unanswered = declare(fit, { sts: {} })
    net.dns.declare(`_mta-sts.${unanswered}`, { trouble: 'servfail' })
    const waiting = await sendRequiring(unanswered)
    assertDeferred(waiting, '4.7.5')
    net.dns.declare(`_mta-sts.${unanswered}`, { trouble: undefined })
    await sleep(5100) // as long as a failure of DNS is remembered
    assert.equal(fateIn(await net.haraka.retry(waiting.outcome)).fate, 'delivered')
    assert.deepEqual((await net.server(`mx1.${unanswered}`).nextMessage()).parameters, ['REQUIRETLS'])
  })

  test('T27: a newer policy that lists the host is found before the message bounces', async () => {
    const domain = declare(fit, { sts: { id: '1', mx: ['old.test'] } })
    net.dns.declare(`_mta-sts.${domain}`, { ttl: 300 })
    await assertRefused(domain, '5.7.30', /does not list/)
    net.sts(domain, { id: '2' })
    await assertTaken(domain)
    await assertLogged(net, `${domain} has a new MTA-STS policy: one more try at once`)
  })

  test('T27: waits where it cannot be looked up whether there is a newer policy, and bounces when it can', async () => {
    const domain = declare({})
    net.dns.declare(`_mta-sts.${domain}`, { trouble: 'servfail' })
    const fate = await sendRequiring(domain)
    assertDeferred(fate, '4.7.5', /is not offered over TLS.*it waits, since it cannot be looked up now whether/)
    net.dns.declare(`_mta-sts.${domain}`, { trouble: undefined })
    const { fate: end, recipient } = fateIn(await net.haraka.retry(fate.outcome))
    assert.deepEqual([end, recipient.status], ['bounced', '5.7.30'])
  })

  test('is neither audited nor relaxed', async () => {
    const domain = `${newDomain().replace('.test', '')}.lenient.test`
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, { ...fit, certificate: 'foreign' })
    await assertRefused(domain, '5.7.10')
  })

  test('does not go where a rule disables STARTTLS', async () => {
    const domain = `${newDomain().replace('.test', '')}.disabled.test`
    net.domain(domain, { signed: true })
    net.server(`mx1.${domain}`, fit)
    await assertRefused(domain, '5.7.10', /STARTTLS is disabled \(\[rule:disabled\]\)/)
  })

  test('a refusal by the host itself, of MAIL or of the recipient, is the host\u2019s word as ever', async () => {
    const domain = declare({ ...fit, mail: '550 5.7.30 no further' })
    assert.equal((await sendRequiring(domain)).fate, 'bounced')
    const later = declare({ ...fit, rcpt: '450 4.2.1 later' })
    assert.equal((await sendRequiring(later)).fate, 'deferred')
  })

  test('Q7: TLS-Required: No in its header does not count', async () => {
    const domain = declare({ ...fit, certificate: 'foreign' })
    const fate = await sendTo(net, domain, {
      tls: true,
      parameters: ['REQUIRETLS'],
      headers: { 'TLS-Required': 'No' },
    })
    assert.equal(fate.recipient.status, '5.7.10')
    await assertTaken(declare(fit))
  })

  test('REQUIRETLS that is not offered says nothing of the session: it is recorded as it was', async () => {
    const domain = declare({ tlsa: '3 1 1' })
    await assertRefused(domain, '5.7.30')
    const [outcome, ...others] = await logged(net, `outcome for ${domain} at`)
    assert.deepEqual(others, [])
    assert.match(outcome ?? '', /verified TLSv1\.3; tlsa mx1\.req\d+\.test success$/)
  })

  describe('that has an empty return path (Q6)', () => {
    test('goes with REQUIRETLS where it can', async () => {
      const domain = declare(fit)
      assert.equal((await sendRequiring(domain, '')).fate, 'delivered')
      assert.deepEqual((await net.server(`mx1.${domain}`).nextMessage()).parameters, ['REQUIRETLS'])
    })

    test('goes to the second host where the first one cannot', async () => {
      const domain = newDomain()
      net.domain(domain, { mx: ['mx1', 'mx2'], signed: true })
      net.server(`mx2.${domain}`, fit)
      assert.equal((await sendRequiring(domain, '')).fate, 'delivered')
      assert.deepEqual((await net.server(`mx2.${domain}`).nextMessage()).parameters, ['REQUIRETLS'])
    })

    test('goes without it where no host can, rather than being lost', async () => {
      const domain = declare({}, {})
      assert.equal((await sendRequiring(domain, '')).fate, 'delivered')
      const message = await net.server(`mx1.${domain}`).nextMessage()
      assert.deepEqual([message.parameters, message.tls], [[], true])
      await assertLogged(net, domain, 'a bounce is not lost for that')
    })

    test('waits first where a policy cannot be fetched, and goes without it when it can wait no longer', async () => {
      const domain = declare({}, { sts: { status: 500 } })
      const { outcome } = await sendRequiring(domain, '')
      await net.haraka.setIntervals([])
      assert.equal(fateIn(await net.haraka.retry(outcome)).fate, 'delivered')
      await net.haraka.setIntervals([3600])
      assert.deepEqual((await net.server(`mx1.${domain}`).nextMessage()).parameters, [])
    })

    test('keeps to all other policies then', async () => {
      const domain = declare({ tlsa: '3 1 1 of other' })
      assertDeferred(await sendRequiring(domain, ''), '4.7.5', /DANE/)
      assert.deepEqual(net.server(`mx1.${domain}`).messages, [])
    })
  })

  test('nothing else in the log is about REQUIRETLS where nobody asked for it', async () => {
    const domain = declare({})
    assert.equal((await sendTo(net, domain)).fate, 'delivered')
    assert.deepEqual(loggedNow(net, domain, 'REQUIRETLS'), [])
  })
})
