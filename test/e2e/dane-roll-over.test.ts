import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import {
  assertDeferred,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  assertNotConnected,
  declareWithSpare,
  fatesOf,
  timed,
} from './far-end.ts'
import type { Ini } from './instance.ts'

const cached = { ttl: 3600 }

const net = sharedInternet({
  settings: { 'rule:banks': { 'if-rcpt-domain': ['*.required.test'], dane: 'require' } },
})

describe('a roll-over', () => {
  test('D13: between two deliveries, the new record published before: both get through', async () => {
    net.domain('planned.test', { signed: true })
    net.server('mx1.planned.test', { tlsa: ['3 1 1', '3 1 1 of other'] })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@planned.test' }), 'mx1.planned.test')
    net.server('mx1.planned.test', { certificate: 'other', tlsa: ['3 1 1'] })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'two@planned.test' }), 'mx1.planned.test')
  })

  test('D13: that our cache has not seen yet: TLSA is asked for past the cache, and the message delivered', async () => {
    net.domain('rolled.test', { signed: true, dns: cached })
    net.server('mx1.rolled.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    const name = net.tlsaName('mx1.rolled.test')
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@rolled.test' }), 'mx1.rolled.test')
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'two@rolled.test' }), 'mx1.rolled.test')
    assert.equal(net.dns.asked(name), 1) // K3: from the cache

    net.server('mx1.rolled.test', { certificate: 'other', tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'three@rolled.test' }), 'mx1.rolled.test')
    assert.equal(net.dns.asked(name), 2)
    assert.equal(net.server('mx1.rolled.test').connections.length, 1)

    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'four@rolled.test' }), 'mx1.rolled.test')
    assert.equal(net.dns.asked(name), 2) // what was asked for last is in the cache
  })

  test('D13: of the certificate alone, its record forgotten: asked for once more, and refused', async () => {
    net.domain('forgotten.test', { signed: true, dns: cached })
    net.server('mx1.forgotten.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await net.haraka.send({ to: 'one@forgotten.test' })
    net.server('mx1.forgotten.test', { certificate: 'other', tlsa: '3 1 1 of leaf', dns: cached, tlsaDns: cached })
    const outcome = await net.haraka.send({ to: 'two@forgotten.test' })
    assertDeferred(outcome, '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, 'mx1.forgotten.test')
    assert.equal(net.dns.asked(net.tlsaName('mx1.forgotten.test')), 2)
  })

  test('D8: a second question for TLSA that fails proves nothing: refused', async () => {
    net.domain('failing.test', { signed: true, dns: cached })
    net.server('mx1.failing.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await net.haraka.send({ to: 'one@failing.test' })
    net.server('mx1.failing.test', { certificate: 'other', dns: cached, tlsaDns: { trouble: 'servfail' } })
    assertDeferred(await net.haraka.send({ to: 'two@failing.test' }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, 'mx1.failing.test')
  })

  test('D13: a second question for TLSA that finds none, or insecure ones, proves nothing: refused', async () => {
    net.domain('vanished.test', { signed: true, dns: cached })
    net.server('mx1.vanished.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await net.haraka.send({ to: 'one@vanished.test' })
    net.server('mx1.vanished.test', {
      certificate: 'other',
      dns: cached,
      tlsa: '3 1 1',
      tlsaDns: { security: 'insecure' },
    })
    assertDeferred(await net.haraka.send({ to: 'two@vanished.test' }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, 'mx1.vanished.test')
  })

  test('D13: a second question that is denied, and the denial signed: the host is planned anew, without the records', async () => {
    net.domain('withdrawn.test', { mx: ['mx1', 'mx2'], signed: true, dns: cached })
    net.server('mx1.withdrawn.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await net.haraka.send({ to: 'one@withdrawn.test' })
    const server = net.server('mx1.withdrawn.test', { certificate: 'other', dns: cached, tlsaDns: { TLSA: [] } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'two@withdrawn.test' }), 'mx1.withdrawn.test')
    assert.equal(server.connections.length, 2, 'not over the session that was refused')
    const line = 'Its TLSA records are gone, and the denial is signed: once more, without them.'
    await assertLogged(net, 'refused mx1.withdrawn.test[', 'none of 1 TLSA record matches', line)
    assertNotConnected(net, 'mx2.withdrawn.test')
  })

  test('D13: without its records a host is held to what else is asked of it', async () => {
    net.domain('bare.test', { signed: true, dns: cached })
    net.server('mx1.bare.test', { tlsa: '3 1 1', dns: cached, tlsaDns: cached })
    await net.haraka.send({ to: 'one@bare.test' })
    net.server('mx1.bare.test', { certificate: 'foreign', dns: cached, tlsaDns: { TLSA: [] } })
    assertDeferred(
      await net.haraka.send({ to: 'two@bare.test' }),
      '4.7.5',
      /the certificate of mx1\.bare\.test does not/,
    )
    assertNoMail(net, 'mx1.bare.test')
  })

  test('D13: a retry sees the records of its own time', async () => {
    net.domain('mended.test', { signed: true })
    net.server('mx1.mended.test', { tlsa: '3 1 1 of other' })
    const first = await net.haraka.send({ to: 'one@mended.test' })
    assert.deepEqual(fatesOf(first), { 'one@mended.test': 'deferred 4.7.5' })
    net.server('mx1.mended.test', { tlsa: '3 1 1' })
    await assertDeliveredOverTls(net, await net.haraka.retry(first), 'mx1.mended.test')
  })
})

describe('a name server that is dead, of one of two hosts', () => {
  const spare = 'mx2.slow.test'

  test('delays a message by one time-out at most, and the next one not at all', async () => {
    // its addresses come late, and its TLSA records not at all: together more than one time-out
    declareWithSpare(net, 'slow.test', { tlsa: '3 1 1', dns: { delay: 900 }, tlsaDns: { trouble: 'timeout' } })
    const first = await timed(() => net.haraka.send({ to: 'one@slow.test' }))
    await assertDeliveredOverTls(net, first.result, spare)
    assert.ok(first.took < 1700, `${first.took} ms`)

    const second = await timed(() => net.haraka.send({ to: 'two@slow.test' }))
    await assertDeliveredOverTls(net, second.result, spare)
    assert.ok(second.took < 800, `${second.took} ms`)
    assertNotConnected(net, 'mx1.slow.test')
    await assertLogged(net, 'refused mx1.slow.test for slow.test: ', 'its name servers have not answered in time')
  })
})

describe('a resolver that does not validate', () => {
  /** A change of [dns] makes the plugin begin anew with its resolver. */
  async function beginAnew(validates: boolean, timeout: string, main: Ini[string] = {}): Promise<void> {
    const since = net.haraka.log.lines.length
    net.dns.switches.validates = validates
    assert.equal(await net.haraka.reconfigure('outbound-tls.ini', net.settings({ dns: { timeout }, main })), true)
    await net.haraka.log.waitFor(/DNS self-test/, { since })
  }

  test('D1: is told of loudly; mail flows opportunistically, and where DANE is required it waits', async () => {
    net.domain('oblivious.test', { signed: true })
    net.server('mx1.oblivious.test', { tlsa: '3 1 1 of other' })
    net.domain('one.required.test', { signed: true })
    net.server('mx1.one.required.test', { tlsa: '3 1 1' })
    await beginAnew(false, '900ms')

    await assertLogged(
      net,
      'ERROR',
      'DNS self-test failed, DANE is unavailable',
      'signed.test is signed, but comes without AD',
    )
    const outcome = await net.haraka.send({ to: 'one@oblivious.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.oblivious.test')
    await assertLogged(net, 'Trusted TLS connection to mx1.oblivious.test[')
    assert.equal(net.dns.asked(net.tlsaName('mx1.oblivious.test')), 0)
    assertDeferred(
      await net.haraka.send({ to: 'one@one.required.test' }),
      '4.7.5',
      /DANE is required \(\[rule:banks\]\)/,
    )
    assertNotConnected(net, 'mx1.one.required.test')
  })

  test('Q1: leaves little for messages that require TLS, which is said where they are taken', async () => {
    await beginAnew(false, '850ms', { requiretls: true })
    await assertLogged(net, 'WARN', 'requiretls = true without DNSSEC: messages that require TLS bounce')
  })

  test('D1: is not believed for the names that it marks as secure all the same', async () => {
    net.dns.declare('signed.test', { security: 'insecure' }) // the self-test's name comes without AD, others come with it
    net.domain('half.test', { signed: true })
    net.server('mx1.half.test', { tlsa: '3 1 1' })
    await beginAnew(true, '800ms')
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@half.test' }), 'mx1.half.test')
    await assertLogged(net, 'Trusted TLS connection to mx1.half.test[')
  })

  test('D1: is forgotten as soon as another one validates', async () => {
    net.dns.declare('signed.test', { security: 'secure' })
    await beginAnew(true, '1s')
    await assertLogged(net, 'DNS self-test passed: ')
    net.domain('two.required.test', { signed: true })
    net.server('mx1.two.required.test', { tlsa: '3 1 1' })
    const outcome = await net.haraka.send({ to: 'one@two.required.test' })
    await assertDeliveredOverTls(net, outcome, 'mx1.two.required.test')
  })
})
