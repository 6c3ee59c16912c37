import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertLogged, logged, loggedNow, sendTo } from './telling.ts'

const settings = {
  main: { audit: true },
  'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' },
  'rule:dane': { 'if-rcpt-domain': ['*.dane-required.test'], dane: 'require' },
  'rule:disabled': { 'if-rcpt-domain': ['*.disabled.test'], starttls: 'disable' },
  'rule:in-earnest': { 'if-rcpt-domain': ['*.earnest.required.test'], audit: false },
}

describe('audit (D49)', () => {
  const net = sharedInternet({ settings })

  /** One outcome, a failure, whatever delivery did. */
  const failedOnce = async (domain: string, ...failure: readonly (string | RegExp)[]): Promise<void> => {
    const outcomes = await logged(net, `outcome for ${domain} at`)
    assert.equal(outcomes.length, 1, outcomes.join('\n'))
    for (const part of failure) assert.match(outcomes[0] ?? '', new RegExp(part))
  }

  test('a certificate that no TLSA record matches is logged, and gets the message', async () => {
    net.domain('mismatch.test', { signed: true })
    const server = net.server('mx1.mismatch.test', { tlsa: '3 1 1 of other' })
    assert.equal((await sendTo(net, 'mismatch.test')).fate, 'delivered')
    assertNothingInClear(server)
    await assertLogged(net, 'mx1.mismatch.test', 'audit: would have been refused: DANE', 'RFC 7672 2.2')
    await failedOnce('mismatch.test', 'tlsa mx1.mismatch.test validation-failure \\(dane-no-match\\)')
  })

  test('a host with TLSA records and no STARTTLS gets the message in clear text', async () => {
    net.domain('stripped.test', { signed: true })
    const server = net.server('mx1.stripped.test', { tlsa: '3 1 1', offersTls: false })
    assert.equal((await sendTo(net, 'stripped.test')).fate, 'delivered')
    assert.ok(server.commands.includes('MAIL'))
    await assertLogged(net, 'Clear-text connection to mx1.stripped', 'audit: would have been refused')
    await failedOnce('stripped.test', 'clear-text', 'starttls-not-supported')
  })

  test('a TLSA lookup that failed is passed over', async () => {
    net.domain('bogus.test', { signed: true })
    net.server('mx1.bogus.test', { tlsa: '3 1 1', tlsaDns: { security: 'bogus' } })
    assert.equal((await sendTo(net, 'bogus.test')).fate, 'delivered')
    await assertLogged(net, 'refused mx1.bogus.test', 'TLSA lookup failed', 'Audit: tried all the same')
  })

  test('STARTTLS that is required and not offered, or refused, is passed over', async () => {
    for (const [name, behaviour] of [
      ['plain', { offersTls: false }],
      ['refuses', { starttls: '454 4.7.0 not now' }],
    ] as const) {
      const domain = `${name}.required.test`
      net.domain(domain)
      net.server(`mx1.${domain}`, behaviour)
      assert.equal((await sendTo(net, domain)).fate, 'delivered')
      await assertLogged(net, `Clear-text connection to mx1.${domain}`, 'audit: would have been refused')
      await failedOnce(domain, 'no-policy-found', 'starttls-not-supported')
    }
  })

  test('a handshake that fails where TLS is required is followed by clear text', async () => {
    net.domain('breaks.required.test')
    const server = net.server('mx1.breaks.required.test', { handshake: 'reset-after-client-hello' })
    assert.equal((await sendTo(net, 'breaks.required.test')).fate, 'delivered')
    assert.equal(server.connections.length, 2)
    await failedOnce('breaks.required.test', 'handshake-failed')
  })

  test('a certificate that does not validate is passed over', async () => {
    net.domain('foreign.required.test')
    const server = net.server('mx1.foreign.required.test', { certificate: 'foreign' })
    assert.equal((await sendTo(net, 'foreign.required.test')).fate, 'delivered')
    assertNothingInClear(server)
    await assertLogged(net, 'mx1.foreign.required.test', 'would have been refused', 'does not validate')
    await failedOnce('foreign.required.test', 'certificate-not-trusted')
  })

  test('DANE that is required and not there is passed over', async () => {
    net.domain('nothing.dane-required.test', { signed: true })
    net.server('mx1.nothing.dane-required.test', {})
    assert.equal((await sendTo(net, 'nothing.dane-required.test')).fate, 'delivered')
    const lines = await logged(
      net,
      'refused mx1.nothing.dane-required',
      'DANE is required',
      'Audit: tried all the same',
    )
    assert.equal(lines.length, 1)
    await failedOnce('nothing.dane-required.test', 'dane-required')
  })

  test('what an enforced STS policy refuses is passed over', async () => {
    net.domain('sts.test', { sts: {} })
    const server = net.server('mx1.sts.test', { certificate: 'foreign' })
    assert.equal((await sendTo(net, 'sts.test')).fate, 'delivered')
    assertNothingInClear(server)
    await assertLogged(net, 'mx1.sts.test', 'audit: would have been refused: MTA-STS', 'RFC 8461')
    await failedOnce('sts.test', 'sts sts.test certificate-not-trusted')

    net.domain('unlisted.test', { sts: { mx: ['mx.elsewhere.test'] } })
    assert.equal((await sendTo(net, 'unlisted.test')).fate, 'delivered')
    await assertLogged(net, 'mx1.unlisted.test', 'does not list', 'Audit: tried all the same')
    await failedOnce('unlisted.test', 'sts unlisted.test validation-failure \\(sts-policy-mx-mismatch\\)')
  })

  test('STARTTLS that is disabled where DANE applies is passed over', async () => {
    net.domain('dane.disabled.test', { signed: true })
    net.server('mx1.dane.disabled.test', { tlsa: '3 1 1' })
    assert.equal((await sendTo(net, 'dane.disabled.test')).fate, 'delivered')
    await assertLogged(net, 'mx1.dane.disabled', 'STARTTLS is disabled', 'Audit: tried all the same')
  })

  test('what is satisfied is no failure', async () => {
    net.domain('fine.test', { signed: true })
    const server = net.server('mx1.fine.test', { tlsa: '3 1 1' })
    assert.equal((await sendTo(net, 'fine.test')).fate, 'delivered')
    assertNothingInClear(server)
    await assertLogged(net, 'outcome for fine.test at', 'verified', 'tlsa mx1.fine.test success')
    assert.deepEqual(loggedNow(net, 'mx1.fine.test', 'would have been'), [])
  })

  test('an MX lookup that failed still defers', async () => {
    net.domain('lost.test', { dns: { trouble: 'servfail' } })
    assertDeferred(await sendTo(net, 'lost.test'), '4.4.3', /MX lookup failed/)
  })

  test('a rule takes a domain out of it', async () => {
    net.domain('a.earnest.required.test')
    const server = net.server('mx1.a.earnest.required.test', { offersTls: false })
    assertDeferred(await sendTo(net, 'a.earnest.required.test'), '4.7.4')
    assertNothingInClear(server)
  })
})
