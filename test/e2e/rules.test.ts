import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, reset, sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertLogged, logged, sendTo, tryAgain } from './telling.ts'

const require = { starttls: 'require' }
const day = 86_400_000
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString().slice(0, 10)

const settings = {
  'rule:rcpt': { 'if-rcpt-domain': ['exact.test', '*.below.test'], ...require, reason: 'as they asked us to' },
  'rule:mx': { 'if-mx': ['mx1.byhost.test', '*.hosting.test'], ...require },
  'rule:sender-domain': {
    'if-rcpt-domain': ['any.test'],
    'if-sender-domain': ['bank.test', '*.bank.test'],
    ...require,
  },
  'rule:sender': { 'if-rcpt-domain': ['any.test'], 'if-sender': ['Boss@Company.test', '<>'], ...require },
  'rule:first': { 'if-rcpt-domain': ['first.test'], 'if-retry-num': '0', ...require },
  'rule:later': { 'if-rcpt-domain': ['later.test'], 'if-retry-num': '>=1', ...require },
  'rule:past': { 'if-rcpt-domain': ['past.test'], ...require, until: inDays(-1) },
  'rule:soon': { 'if-rcpt-domain': ['soon.test'], ...require, until: inDays(3), reason: 'till they have mended it' },
  'rule:order-1': { 'if-rcpt-domain': ['order.test'], starttls: 'optional' },
  'rule:order-2': { 'if-rcpt-domain': ['order.test'], starttls: 'require', 'plaintext-fallback': false },
  'rule:may-lower': { 'if-mx': ['mx1.forged.test', 'mx1.proved.test'], starttls: 'optional' },
  'rule:not-lowered': { 'if-rcpt-domain': ['forged.test', 'proved.test'], ...require },
  'rule:strict-relax': { 'if-rcpt-domain': ['*.strict.test'], ...require },
  'rule:no-relax': { 'if-rcpt-domain': ['*.firm.test'], 'relax-after-tls-failure': false },
  'rule:invalid': { 'if-rcpt-domain': ['*.invalid.test'], 'allow-invalid-certs': true, reason: 'an old appliance' },
  'rule:after-mta-sts': {
    'if-rcpt-domain': ['mta-sts.last.test'],
    'if-last-error': ['mta-sts'],
    'mta-sts': 'disable',
    ...require,
    reason: 'after mta-sts',
  },
  'rule:static': { 'if-rcpt-domain': ['*.routed.test'], 'if-route': 'static', ...require, reason: 'routes' },
  'rule:by-dns': { 'if-rcpt-domain': ['*.routed.test'], 'if-route': 'mx', ...require, reason: 'records' },
  ...Object.fromEntries(
    ['none', 'dns', 'connection', 'tls', 'dane', 'smtp'].map((error) => [
      `rule:after-${error}`,
      { 'if-rcpt-domain': [`${error}.last.test`], 'if-last-error': [error], ...require, reason: `after ${error}` },
    ]),
  ),
}

describe('a rule', () => {
  const net = sharedInternet({ settings, haraka: { plugins: ['static-routes', 'outbound-tls'] } })

  /** A domain whose only host has no TLS: mail for it waits where a rule requires TLS, and is delivered where none does. */
  const withoutTls = (domain: string, mx = `mx1.${domain}`): void => {
    net.domain(domain, { mx: [mx] })
    net.server(mx, { offersTls: false })
  }
  const decides = async (rule: string, domain: string, from = 'me@origin.test'): Promise<void> => {
    assertDeferred(await sendTo(net, domain, { from }), '4.7.4', new RegExp(`\\(\\[rule:${rule}\\][:)]`))
  }
  const isSilent = async (domain: string, from = 'me@origin.test'): Promise<void> => {
    assert.equal((await sendTo(net, domain, { from })).fate, 'delivered')
  }

  test('with if-rcpt-domain matches a domain, and those below a domain with "*."', async () => {
    for (const domain of ['exact.test', 'one.below.test', 'a.b.below.test']) {
      withoutTls(domain)
      await decides('rcpt', domain)
    }
    for (const domain of ['not.exact.test', 'below.test', 'notbelow.test']) {
      withoutTls(domain)
      await isSilent(domain)
    }
  })

  test('says its reason in the queue and in the log', async () => {
    withoutTls('exact.test')
    assertDeferred(await sendTo(net, 'exact.test'), '4.7.4', /\(\[rule:rcpt\]: as they asked us to\)/)
    assert.ok((await logged(net, 'exact.test deferred, 4.7.4', '[rule:rcpt]: as they asked us to')).length > 0)
  })

  test('with if-mx matches a host, and those below a name', async () => {
    withoutTls('byhost.test')
    await decides('mx', 'byhost.test')
    withoutTls('customer.test', 'mx.a.hosting.test')
    await decides('mx', 'customer.test')
    withoutTls('hosting.test', 'mx1.hosting-company.test')
    await isSilent('hosting.test')
  })

  test('with if-sender-domain or if-sender matches the envelope sender', async () => {
    withoutTls('any.test')
    await decides('sender-domain', 'any.test', 'clerk@bank.test')
    await decides('sender-domain', 'any.test', 'clerk@branch.BANK.test')
    await decides('sender', 'any.test', 'boss@company.test')
    await decides('sender', 'any.test', '')
    await isSilent('any.test', 'clerk@company.test')
  })

  test('with if-retry-num matches some attempts and no others', async () => {
    withoutTls('first.test')
    const first = await sendTo(net, 'first.test')
    assertDeferred(first, '4.7.4', /rule:first/)
    assert.equal((await tryAgain(net, first)).fate, 'delivered')

    withoutTls('later.test')
    net.server('mx1.later.test', { mail: '451 4.3.0 not now' })
    const before = await sendTo(net, 'later.test')
    assert.equal(before.fate, 'deferred')
    net.server('mx1.later.test', { offersTls: false })
    assertDeferred(await tryAgain(net, before), '4.7.4', /rule:later/)
  })

  test('with if-last-error = none matches the first attempt', async () => {
    withoutTls('none.last.test')
    await decides('after-none', 'none.last.test')
  })

  const failures = {
    dns: () => {
      net.domain('dns.last.test', { mx: ['mx1', 'mx2'], signed: true })
      net.server('mx1.dns.last.test', { dns: { A: [] } })
      net.server('mx2.dns.last.test', { dns: { trouble: 'servfail' } })
    },
    connection: () => net.server('mx1.connection.last.test', { greeting: reset }),
    tls: () => net.server('mx1.tls.last.test', { certificate: 'foreign' }),
    dane: () => net.server('mx1.dane.last.test', { tlsa: '3 1 1 of other' }),
    'mta-sts': () => {
      net.sts('mta-sts.last.test')
      net.server('mx1.mta-sts.last.test', { certificate: 'expired' })
    },
    smtp: () => net.server('mx1.smtp.last.test', { mail: '451 4.3.0 not now' }),
  }
  for (const [error, fail] of Object.entries(failures)) {
    test(`with if-last-error = ${error} matches the attempt behind such a failure`, async () => {
      const domain = `${error}.last.test`
      net.domain(domain, { signed: true })
      fail()
      const first = await sendTo(net, domain)
      assert.equal(first.fate, 'deferred')
      assert.doesNotMatch(first.recipient.message ?? '', /rule:after/)
      net.server(`mx1.${domain}`, { offersTls: false })
      assertDeferred(await tryAgain(net, first), '4.7.4', new RegExp(`rule:after-${error}\\]: after ${error}`))
    })
  }

  test('with if-route tells what another plugin named from what DNS says', async () => {
    withoutTls('dns.routed.test')
    await decides('by-dns', 'dns.routed.test')
    const relay = net.server('relay.routed.test', { offersTls: false })
    net.haraka.setRoutes({ 'static.routed.test': { exchange: relay.name, port: relay.port } })
    await decides('static', 'static.routed.test')
  })

  test('with until in the past matches no more, with until in the future it does', async () => {
    withoutTls('past.test')
    await isSilent('past.test')
    withoutTls('soon.test')
    await decides('soon', 'soon.test')
    const warning = await logged(net, '[rule:soon] (till they have mended it) stops matching at 00:00 UTC on')
    assert.equal(warning.length, 1)
    assert.match(warning[0] ?? '', /\[WARN\]/)
  })

  test('above another one decides a key, the other one those that are left', async () => {
    withoutTls('order.test')
    await isSilent('order.test')
    const server = net.server('mx1.order.test', { handshake: 'alert' })
    assertDeferred(await sendTo(net, 'order.test'), '4.7.5', /handshake failed/)
    assertNothingInClear(server)
  })

  test('with if-mx lowers nothing behind an insecure MX record, which anyone may have forged', async () => {
    net.domain('forged.test')
    const forged = net.server('mx1.forged.test', { offersTls: false })
    await decides('not-lowered', 'forged.test')
    assertNothingInClear(forged)
    net.domain('proved.test', { signed: true })
    net.server('mx1.proved.test', { offersTls: false })
    await isSilent('proved.test')
  })

  describe('about certificates', () => {
    test('allow-invalid-certs accepts what does not validate, and says at NOTICE what was wrong with it', async () => {
      for (const [certificate, fault] of [
        ['foreign', 'UNABLE_TO'],
        ['expired', 'CERT_HAS_EXPIRED'],
        ['other-name', 'it is for somewhere-else.test'],
      ] as const) {
        const domain = `${certificate}.invalid.test`
        net.domain(domain)
        const server = net.server(`mx1.${domain}`, { certificate })
        assert.equal((await sendTo(net, domain)).fate, 'delivered')
        assertNothingInClear(server)
        const lines = await logged(
          net,
          `Untrusted TLS connection to mx1.${domain}`,
          fault,
          'accepted: allow-invalid-certs',
        )
        assert.equal(lines.length, 1)
        assert.match(lines[0] ?? '', /\[NOTICE\]/)
        await assertLogged(net, `outcome for ${domain} `, 'no-policy-found', 'success')
      }
    })

    test('allow-invalid-certs has no say where TLSA records do', async () => {
      net.domain('dane.invalid.test', { signed: true })
      const server = net.server('mx1.dane.invalid.test', { tlsa: '3 1 1 of other' })
      assertDeferred(await sendTo(net, 'dane.invalid.test'), '4.7.5', /DANE/)
      assertNothingInClear(server)
    })

    test('allow-invalid-certs has no say where an enforced STS policy does', async () => {
      net.domain('sts.invalid.test', { sts: {} })
      const server = net.server('mx1.sts.invalid.test', { certificate: 'foreign' })
      assertDeferred(await sendTo(net, 'sts.invalid.test'), '4.7.5', /MTA-STS/)
      assertNothingInClear(server)
    })

    test('a retry accepts an invalid certificate', async () => {
      net.domain('relaxed.test')
      const server = net.server('mx1.relaxed.test', { certificate: 'foreign' })
      const first = await sendTo(net, 'relaxed.test')
      assertDeferred(first, '4.7.5', /does not validate/)
      assert.equal((await tryAgain(net, first)).fate, 'delivered')
      assertNothingInClear(server)
      assert.match((await logged(net, 'mx1.relaxed.test', 'accepted: relax-after-tls-failure'))[0] ?? '', /\[NOTICE\]/)
    })

    test('a retry after another failure does, too', async () => {
      net.domain('busy.test')
      net.server('mx1.busy.test', { mail: '451 4.3.0 not now' })
      const first = await sendTo(net, 'busy.test')
      const server = net.server('mx1.busy.test', { certificate: 'foreign' })
      assert.equal((await tryAgain(net, first)).fate, 'delivered')
      assertNothingInClear(server)
    })

    for (const domain of ['a.strict.test', 'a.firm.test']) {
      test(`nothing is relaxed where a rule says otherwise: ${domain}`, async () => {
        net.domain(domain)
        const server = net.server(`mx1.${domain}`, { certificate: 'foreign' })
        const first = await sendTo(net, domain)
        assertDeferred(await tryAgain(net, first), '4.7.5', /does not validate/)
        assertNothingInClear(server)
      })
    }

    test('nothing is relaxed where TLSA records are published', async () => {
      net.domain('dane-firm.test', { signed: true })
      const server = net.server('mx1.dane-firm.test', { tlsa: '3 1 1 of other' })
      const first = await sendTo(net, 'dane-firm.test')
      assertDeferred(await tryAgain(net, first), '4.7.5', /DANE/)
      assertNothingInClear(server)
    })

    test('the only attempt that there will be is relaxed at once', async () => {
      await net.haraka.setIntervals([])
      net.domain('only.test')
      const server = net.server('mx1.only.test', { certificate: 'foreign' })
      const { fate } = await sendTo(net, 'only.test')
      await net.haraka.setIntervals([3600, 3600])
      assert.equal(fate, 'delivered')
      assertNothingInClear(server)
    })
  })
})
