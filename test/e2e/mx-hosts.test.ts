import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reset, sharedInternet } from '../internet/index.ts'
import {
  assertDeferred,
  assertDeliveredOverTls,
  assertLogged,
  assertNoMail,
  assertNotConnected,
  declareWithSpare,
  fatesOf,
} from './far-end.ts'

const net = sharedInternet()

describe('the hosts of a domain', () => {
  test('D19: are tried by preference, whatever they prove, and shuffled where that is equal', async () => {
    const first = ['10 a', '10 b', '10 c']
    const last = ['20 d', '20 e', '20 f']
    net.domain('order.test', { mx: [...last, ...first], signed: true })
    for (const letter of 'abc') net.server(`${letter}.order.test`, { greeting: reset })
    for (const letter of 'def') net.server(`${letter}.order.test`, { tlsa: '3 1 1 of other' })
    const orders = new Set<string>()
    for (let messages = 0; messages < 6; messages++) {
      const outcome = await net.haraka.send({ to: 'one@order.test' })
      const order = [...(outcome.deferred[0]?.error ?? '').matchAll(/\b([a-f])\.order\.test\[/g)].map(
        ([, name]) => name,
      )
      orders.add(order.join(''))
    }
    assert.ok(orders.size > 1, [...orders].join())
    assert.ok(
      [...orders].every((order) => /^[abc]{3}[def]{3}$/.test(order)),
      [...orders].join(),
    )
  })

  test('D13: the next one gets what the first one, which does not match, does not', async () => {
    declareWithSpare(net, 'second.test', { tlsa: '3 1 1 of other' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@second.test' }), 'mx2.second.test')
    assertNoMail(net, 'mx1.second.test')
  })

  test('after a failed connection the next address of the same host is tried, IPv6 before IPv4', async () => {
    declareWithSpare(net, 'addresses.test', { tlsa: '3 1 1', dns: { AAAA: ['::1'] } })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@addresses.test' }), 'mx1.addresses.test')
    assertNotConnected(net, 'mx2.addresses.test')
  })

  test('after a connection that is reset the next address of the same host is tried', async () => {
    net.domain('lost.test', { mx: ['mx1', 'mx2'], signed: true })
    const [down, up] = [net.server('down.lost.test', { greeting: reset }), net.server('up.lost.test', {})]
    up.become({ ...up.behaviour, identity: net.certificates.identity('mx1.lost.test', 'leaf') })
    net.server('mx1.lost.test', { dns: { A: [down.address, up.address] }, tlsa: '3 1 1' })
    const { delivered } = await net.haraka.send({ to: 'one@lost.test' })
    assert.equal(delivered[0]?.ip, up.address)
    assert.equal((await up.nextMessage()).servername, 'mx1.lost.test')
    assert.equal(down.connections.length, 1)
    assertNotConnected(net, 'mx2.lost.test')
  })

  test('D13: one address under two names is judged for each of them', async () => {
    net.domain('twice.test', { mx: ['mx1', 'mx2'], signed: true })
    const both = net.server('both.twice.test', { tlsa: '3 1 1' })
    net.server('mx1.twice.test', { dns: { A: [both.address] }, tlsa: '3 1 1 of other' })
    const record = net.certificates.tlsa(both.name, '3 1 1', 'leaf')
    net.server('mx2.twice.test', { dns: { A: [both.address] }, tlsa: [record] })
    assert.equal((await net.haraka.send({ to: 'one@twice.test' })).delivered.length, 1)
    assert.deepEqual(
      both.connections.map(({ tls, messages }) => `${tls?.servername} ${messages.length}`),
      ['mx1.twice.test 0', 'mx2.twice.test 1'],
    )
    assertNoMail(net, 'mx1.twice.test')
    await assertLogged(net, 'refused mx1.twice.test[', 'none of 1 TLSA record matches')
  })

  test('D13: one address under two names, the good one first: each message goes under that one', async () => {
    net.domain('pool.test', { mx: ['10 good', '20 bad'], signed: true })
    const both = net.server('both.pool.test', {})
    net.server('good.pool.test', {
      dns: { A: [both.address] },
      tlsa: [net.certificates.tlsa(both.name, '3 1 1', 'leaf')],
    })
    net.server('bad.pool.test', { dns: { A: [both.address] }, tlsa: '3 1 1 of other' })
    net.domain('bad-only.test', { mx: ['bad.pool.test'], signed: true })
    const outcome = await net.haraka.send({ to: ['one@pool.test', 'two@bad-only.test'] })
    assert.deepEqual(fatesOf(outcome), { 'one@pool.test': 'delivered', 'two@bad-only.test': 'deferred 4.7.5' })
    assert.deepEqual((await both.nextMessage()).to, ['one@pool.test'])
    assert.equal(both.messages.length, 1)
  })

  test('D18: an IP address as MX is a host without TLSA records', async () => {
    net.domain('ip.test', { mx: ['mx1'], signed: true })
    const { address } = net.server('mx1.ip.test', { offersTls: false })
    net.dns.declare('ip.test', { MX: [`10 ${address}`] })
    const { delivered } = await net.haraka.send({ to: 'one@ip.test' })
    assert.equal(delivered[0]?.ip, address)
  })
})

describe('a domain', () => {
  test('D30: without MX records is its own host, and its TLSA records count', async () => {
    net.domain('implicit.test', { mx: [], signed: true })
    net.server('implicit.test', { signed: true, tlsa: '3 1 1' })
    const message = await assertDeliveredOverTls(
      net,
      await net.haraka.send({ to: 'one@implicit.test' }),
      'implicit.test',
    )
    assert.equal(message.servername, 'implicit.test')
    await assertLogged(net, 'Verified TLS connection to implicit.test[', 'matched DANE-EE')
  })

  test('D30: without MX records, whose TLSA records do not match, gets no mail', async () => {
    net.domain('implicit-bad.test', { mx: [], signed: true })
    net.server('implicit-bad.test', { signed: true, tlsa: '3 1 1 of other' })
    assertDeferred(await net.haraka.send({ to: 'one@implicit-bad.test' }), '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, 'implicit-bad.test')
  })

  test('D20: that is a secure alias has the hosts of its target, and is Verified', async () => {
    net.domain('target.test', { signed: true })
    net.server('mx1.target.test', { tlsa: '3 1 1' })
    net.dns.declare('alias.test', { CNAME: 'target.test', security: 'secure' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@alias.test' }), 'mx1.target.test')
    await assertLogged(net, 'Verified TLS connection to mx1.target.test[')
    await assertLogged(net, 'outcome for alias.test at mx1.target.test: verified')
  })

  test('D20, D24: that is an insecure alias is never Verified', async () => {
    net.domain('target2.test', { signed: true })
    net.server('mx1.target2.test', { tlsa: '3 1 1' })
    net.dns.declare('alias2.test', { CNAME: 'target2.test', security: 'insecure' })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@alias2.test' }), 'mx1.target2.test')
    await assertLogged(net, 'outcome for alias2.test at mx1.target2.test: trusted')
  })

  test('with a null MX takes no mail: it bounces at once (5.1.10)', async () => {
    net.domain('null.test', { mx: ['0 .'] })
    const outcome = await net.haraka.send({ to: 'one@null.test' })
    assert.deepEqual(fatesOf(outcome), { 'one@null.test': 'bounced 5.1.10' })
    assert.match(outcome.bounced[0]?.error ?? '', /null MX, RFC 7505/)
    assert.equal(outcome.recipients['one@null.test']?.code, 556) // RFC 7504 3
  })

  test('whose hosts have no address bounces at once (5.4.4)', async () => {
    net.domain('addressless.test', { mx: ['mx1', 'mx2'] })
    for (const host of ['mx1', 'mx2']) net.server(`${host}.addressless.test`, { dns: { A: [] } })
    const outcome = await net.haraka.send({ to: 'one@addressless.test' })
    assert.deepEqual(fatesOf(outcome), { 'one@addressless.test': 'bounced 5.4.4' })
    const text =
      /no host of addressless\.test has an address: mx1\.addressless\.test, mx2\.addressless\.test \(RFC 5321 5\.1\)/
    assert.match(outcome.bounced[0]?.error ?? '', text)
  })

  test('whose hosts have no address waits where a lookup failed, or an enforced policy names hosts', async () => {
    net.domain('half.test', { mx: ['mx1', 'mx2'] })
    net.server('mx1.half.test', { dns: { A: [] } })
    net.server('mx2.half.test', { dns: { trouble: 'servfail' } })
    assertDeferred(await net.haraka.send({ to: 'one@half.test' }), '4.4.3', /no address/)
    net.domain('denied.test', { sts: {}, signed: true })
    net.server('mx1.denied.test', { dns: { A: [] } })
    assertDeferred(await net.haraka.send({ to: 'one@denied.test' }), '4.7.5', /names hosts \(mx: mx1\.denied\.test\)/)
  })

  test('with a null MX among others takes mail at the others', async () => {
    net.domain('half-null.test', { mx: ['0 .', '10 mx1'], signed: true })
    await assertDeliveredOverTls(net, await net.haraka.send({ to: 'one@half-null.test' }), 'mx1.half-null.test')
  })

  test('that does not exist bounces at once (5.1.2)', async () => {
    const outcome = await net.haraka.send({ to: 'one@nowhere.test' })
    assert.deepEqual(fatesOf(outcome), { 'one@nowhere.test': 'bounced 5.1.2' })
  })

  test('D27: whose only host does not exist bounces at once (5.4.4)', async () => {
    net.domain('hostless.test', { mx: ['gone.nowhere.test'], signed: true })
    net.dns.forget('gone.nowhere.test')
    const outcome = await net.haraka.send({ to: 'one@hostless.test' })
    assert.deepEqual(fatesOf(outcome), { 'one@hostless.test': 'bounced 5.4.4' })
  })

  test('D18: that is an address literal needs no DNS', async () => {
    const { address } = net.server('literal.test', { offersTls: false })
    net.dns.forgetQueries()
    const outcome = await net.haraka.send({ to: `one@[${address}]` })
    assert.equal(fatesOf(outcome)[`one@[${address}]`], 'delivered')
    // but for the resolver's self-test, and the bounces of other messages
    const asked = net.dns.queries.filter(({ name }) => !/^signed\.test$|(?:^|\.)origin\.test$/.test(name))
    assert.deepEqual(asked, [])
  })

  test('D18: that is an address literal is asked for no name by SNI, and a certificate for it is wanted but once', async () => {
    const { address } = net.server('literal-tls.test', {})
    const first = await net.haraka.send({ to: `one@[${address}]` })
    assertDeferred(first, '4.7.5', /does not validate: it is for literal-tls\.test, not for 127\./)
    assertNoMail(net, 'literal-tls.test')
    assert.equal((await net.haraka.retry(first)).delivered.length, 1)
    const message = await net.server('literal-tls.test').nextMessage()
    assert.deepEqual([message.tls, message.servername], [true, undefined])
    await assertLogged(net, 'NOTICE', `[${address}]`, 'Untrusted', 'accepted: relax-after-tls-failure')
  })

  test('with letters beyond ASCII is looked up as A-labels', async () => {
    net.domain('xn--bcher-kva.test', { signed: true })
    net.server('mx1.xn--bcher-kva.test', { tlsa: '3 1 1' })
    const message = await net.haraka.submit({ to: 'one@bücher.test' })
    const outcome = await net.haraka.settled({ ...message, to: ['one@xn--bcher-kva.test'] })
    await assertDeliveredOverTls(net, outcome, 'mx1.xn--bcher-kva.test')
    assert.equal(net.dns.asked('xn--bcher-kva.test', 'MX'), 1)
  })
})
