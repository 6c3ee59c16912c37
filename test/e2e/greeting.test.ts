/** Servers that refuse before STARTTLS, where nobody asks for TLS: the next host's turn, and core's word at the end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { fatesOf } from './far-end.ts'
import { assertLogged, loggedNow, sendTo } from './telling.ts'

describe('a greeting that refuses, without a policy', () => {
  const net = sharedInternet()

  for (const greeting of ['421 4.3.2 too busy', '554 5.3.2 no mail here']) {
    test(`${greeting}: the next host takes the message`, async () => {
      net.domain('two.test', { mx: ['mx1', 'mx2'] })
      net.server('mx1.two.test', { greeting })
      net.server('mx2.two.test', {})
      const outcome = await net.haraka.send({ to: 'someone@two.test' })
      assert.deepEqual(fatesOf(outcome), { 'someone@two.test': 'delivered' })
      assert.equal(outcome.delivered[0]?.host, 'mx2.two.test')
    })
  }

  test('421 from the last host is an answer, not a connection in clear text, in the log', async () => {
    net.domain('busy.test')
    net.server('mx1.busy.test', { greeting: '421 4.3.2 too busy' })
    await sendTo(net, 'busy.test')
    await assertLogged(net, 'mx1.busy.test[', 'answered 421 4.3.2 too busy: no other host is left')
    assert.deepEqual(loggedNow(net, 'Clear-text connection to mx1.busy.test'), [])
  })

  test('554 from every host bounces, 421 from every host defers: as core does with a single host', async () => {
    net.domain('never.test', { mx: ['mx1', 'mx2'] })
    net.server('mx1.never.test', { greeting: '554 5.3.2 no mail here' })
    net.server('mx2.never.test', { greeting: '554 5.3.2 no mail here' })
    assert.deepEqual(fatesOf(await net.haraka.send({ to: 'someone@never.test' })), {
      'someone@never.test': 'bounced 5.3.2',
    })

    net.domain('later.test', { mx: ['mx1', 'mx2'] })
    net.server('mx1.later.test', { greeting: '421 4.3.2 too busy' })
    net.server('mx2.later.test', { greeting: '421 4.3.2 too busy' })
    assert.deepEqual(fatesOf(await net.haraka.send({ to: 'someone@later.test' })), {
      'someone@later.test': 'deferred 4.3.2',
    })
  })

  test('a host that its policy refused may be mended: another one’s 554 does not bounce the message', async () => {
    net.domain('mixed.test', { mx: ['mx1', 'mx2'], signed: true })
    net.server('mx1.mixed.test', { certificate: 'other', tlsa: '3 1 1 of leaf' })
    net.server('mx2.mixed.test', { greeting: '554 5.3.2 no mail here' })
    assert.deepEqual(fatesOf(await net.haraka.send({ to: 'someone@mixed.test' })), {
      'someone@mixed.test': 'deferred 4.7.5',
    })
  })
})
