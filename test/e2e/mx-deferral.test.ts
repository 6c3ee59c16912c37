import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { privateInternet, sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredOverTls, assertLogged, assertNoMail, fatesOf } from './far-end.ts'

const net = sharedInternet()
const manyAttempts = Array<number>(20).fill(3600)

describe('a message that no host may have', () => {
  test('is deferred with all hosts, and what is wrong with each of them', async () => {
    net.domain('four.test', { mx: ['mx1', 'mx2', 'mx3', 'mx4'], signed: true })
    net.server('mx1.four.test', { tlsa: '3 1 1 of other' })
    net.server('mx2.four.test', { tlsa: '3 1 1', offersTls: false })
    net.server('mx3.four.test', { tlsa: '3 1 1', tlsaDns: { trouble: 'bogus' } })
    net.server('mx4.four.test', { security: 'bogus' })
    const outcome = await net.haraka.send({ to: 'one@four.test' })
    assertDeferred(
      outcome,
      '4.7.5',
      /^no host of four\.test satisfied its policy: mx1\.four\.test\[[\d.]+\] \(DANE: TLSA at/,
    )
    assertDeferred(outcome, '4.7.5', /mx2\.four\.test\[[\d.]+\] \(STARTTLS is not offered; DANE: .*RFC 7672 2\.2\)/)
    assertDeferred(
      outcome,
      '4.7.5',
      /mx3\.four\.test \(DANE: TLSA lookup failed at .* SERVFAIL, DNSSEC bogus \(EDE 6\)/,
    )
    assertDeferred(outcome, '4.7.5', /mx4\.four\.test \(DNS lookup failed for .* SERVFAIL, DNSSEC bogus \(EDE 6\)/)
    assertNoMail(net, 'mx1.four.test', 'mx2.four.test', 'mx3.four.test', 'mx4.four.test')
    await assertLogged(net, 'WARN', 'four.test deferred, 4.7.5: no host of four.test satisfied its policy: ')
  })

  test('bounces after its last attempt, naming all hosts and reasons (5.7.5)', async () => {
    net.domain('author.test')
    net.domain('end.test', { mx: ['mx1', 'mx2'], signed: true })
    net.server('mx1.end.test', { tlsa: '3 1 1 of other' })
    net.server('mx2.end.test', { tlsa: '3 1 1', offersTls: false })
    const first = await net.haraka.send({ from: 'me@author.test', to: 'one@end.test' })
    assertDeferred(first, '4.7.5', /mx1\.end\.test.*mx2\.end\.test/)
    await net.haraka.setIntervals([])
    const last = await net.haraka.retry(first)
    await net.haraka.setIntervals(manyAttempts)
    assert.equal(last.bounced.length, 1)
    assert.equal(fatesOf(last)['one@end.test'], 'bounced 5.7.5')

    const bounce = await net.server('mx1.author.test').nextMessage()
    assert.equal(bounce.from, '')
    assert.match(bounce.data, /^Final-Recipient: rfc822;one@end\.test\r\n(.+\r\n)*Status: 5\.7\.5/m)
    const text = bounce.data.replace(/\r\n\s*/g, ' ')
    assert.match(text, /mx1\.end\.test\[[\d.]+\] \(DANE: TLSA at .* none of 1 TLSA record matches its certificate/)
    assert.match(
      text,
      /mx2\.end\.test\[[\d.]+\] \(STARTTLS is not offered; DANE: one of 1 TLSA record at .* must match/,
    )
    assert.match(text, /RFC 7672 2\.2/)
    assertNoMail(net, 'mx1.end.test', 'mx2.end.test')
  })

  test('has room in a line of its bounce, however long the names of the hosts are (RFC 5322 2.1.1)', async () => {
    const long = Array.from({ length: 3 }, () => 'x'.repeat(60)).join('.')
    const mx = Array.from({ length: 9 }, (_, index) => `mx${index}.${long}`)
    net.domain('long-names.test', { mx, signed: true })
    for (const name of mx) net.server(name, { security: 'bogus' })
    const { recipients } = await net.haraka.send({ to: 'one@long-names.test' })
    const { message = '' } = recipients['one@long-names.test'] ?? {}
    assert.match(message, /^no host of long-names\.test [ -~]{100,850}$/)
  })

  test('with no attempt to come bounces at once, and is never more lenient for it', async () => {
    net.domain('once.test', { signed: true })
    net.server('mx1.once.test', { tlsa: '3 1 1 of other' })
    await net.haraka.setIntervals([])
    const outcome = await net.haraka.send({ to: 'one@once.test' })
    await net.haraka.setIntervals(manyAttempts)
    assert.deepEqual(fatesOf(outcome), { 'one@once.test': 'bounced 5.7.5' })
    assertNoMail(net, 'mx1.once.test')
  })
})

describe('a message that is split', () => {
  test('by domain: each part has its own outcome, deferral and retry', async () => {
    net.domain('good.test', { signed: true })
    net.server('mx1.good.test', { tlsa: '3 1 1' })
    net.domain('bad.test', { signed: true })
    net.server('mx1.bad.test', { tlsa: '3 1 1 of other' })
    const outcome = await net.haraka.send({ to: ['one@good.test', 'two@bad.test', 'three@good.test'] })
    assert.deepEqual(fatesOf(outcome), {
      'one@good.test': 'delivered',
      'two@bad.test': 'deferred 4.7.5',
      'three@good.test': 'delivered',
    })
    assert.deepEqual((await net.server('mx1.good.test').nextMessage()).to, ['one@good.test', 'three@good.test'])
    assertNoMail(net, 'mx1.bad.test')
    net.server('mx1.bad.test', { tlsa: '3 1 1' })
    await assertDeliveredOverTls(net, await net.haraka.retry(outcome), 'mx1.bad.test')
  })

  test('by recipient, some of them deferred: what is left is guarded at its retry, too', async () => {
    net.domain('split.test', { signed: true })
    net.server('mx1.split.test', { tlsa: '3 1 1', rcpt: { 'late@split.test': '451 4.2.0 later' } })
    const first = await net.haraka.send({ to: ['now@split.test', 'late@split.test'] })
    assert.match(fatesOf(first)['late@split.test'] ?? '', /^deferred/)
    assert.equal(fatesOf(first)['now@split.test'], 'delivered')
    assert.deepEqual((await net.server('mx1.split.test').nextMessage()).to, ['now@split.test'])

    net.server('mx1.split.test', { tlsa: '3 1 1 of other', handshake: 'normal' })
    const second = await net.haraka.retry(first)
    assertDeferred(second, '4.7.5', /none of 1 TLSA record matches/)
    assertNoMail(net, 'mx1.split.test')

    net.server('mx1.split.test', { tlsa: '3 1 1', offersTls: false })
    const third = await net.haraka.retry(second)
    assertDeferred(third, '4.7.4', /STARTTLS is not offered; DANE/)
    assertNoMail(net, 'mx1.split.test')

    net.server('mx1.split.test', { tlsa: '3 1 1' })
    const message = await assertDeliveredOverTls(net, await net.haraka.retry(third), 'mx1.split.test')
    assert.deepEqual(message.to, ['late@split.test'])
  })

  test('by recipient, some of them refused: the refused one bounces, the others are delivered to', async () => {
    net.domain('refused.test', { signed: true })
    net.server('mx1.refused.test', { tlsa: '3 1 1', rcpt: { 'no@refused.test': '550 5.1.1 no such user' } })
    const outcome = await net.haraka.send({ to: ['yes@refused.test', 'no@refused.test'] })
    assert.match(fatesOf(outcome)['no@refused.test'] ?? '', /^bounced/)
    assert.equal(fatesOf(outcome)['yes@refused.test'], 'delivered')
    assert.deepEqual((await net.server('mx1.refused.test').nextMessage()).to, ['yes@refused.test'])
  })
})

describe('a message that was queued before a restart', () => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`(${signal}) is guarded after it as before`, async (t) => {
      const net = await privateInternet(t)
      net.domain('again.test', { signed: true })
      net.server('mx1.again.test', { tlsa: '3 1 1 of other' })
      const first = await net.haraka.send({ to: 'one@again.test' })
      assertDeferred(first, '4.7.5', /none of 1 TLSA record matches/)

      await net.haraka.restart(signal)
      await net.haraka.flush()
      const second = await net.haraka.settled({ uuid: first.uuid, to: ['one@again.test'] })
      assertDeferred(second, '4.7.5', /none of 1 TLSA record matches/)
      assertNoMail(net, 'mx1.again.test')

      net.server('mx1.again.test', { tlsa: '3 1 1' })
      await assertDeliveredOverTls(net, await net.haraka.retry(second), 'mx1.again.test')
    })
  }
})
