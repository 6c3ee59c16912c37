import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { assertDeferred, sendTo } from './telling.ts'

/** What smtp.ini says is this machine's address. All servers of the private internet are on loopback: local, too. */
const OWN = '192.0.2.77'

describe('an address of this machine', () => {
  const net = sharedInternet({
    haraka: { outbound: { main: { local_mx_ok: false } }, smtp: { main: { public_ip: OWN } } },
  })

  for (const [index, address] of ['::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '::ffff:0.0.0.0'].entries())
    test(`is known as ${address}, too`, async () => {
      net.domain(`form${index}.test`)
      net.server(`mx1.form${index}.test`, { dns: { A: [], AAAA: [address] } })
      assertDeferred(await sendTo(net, `form${index}.test`), '4.4.6', /is an address of this machine/)
    })

  test('is known in an address literal', async () => {
    assertDeferred(await sendTo(net, '[IPv6:::ffff:127.0.0.1]'), '4.4.6', /is an address of this machine/)
  })

  for (const [index, address] of [`64:ff9b::${OWN}`, `::ffff:${OWN}`, OWN].entries())
    test(`RFC 5321 5.1: where it is the best host, ${address}, the message bounces`, async () => {
      net.domain(`loop${index}.test`, { mx: ['10 me', '10 mx1', '20 mx2'] })
      net.server(`me.loop${index}.test`, { dns: address === OWN ? { A: [OWN] } : { A: [], AAAA: [address] } })
      const { fate, recipient } = await sendTo(net, `loop${index}.test`)
      assert.equal(fate, 'bounced', recipient.message)
      assert.equal(recipient.status, '5.4.6')
      assert.match(recipient.message ?? '', /loops back: its best host is this machine/)
    })

  test('RFC 5321 5.1: hosts of its preference and worse ones are discarded, better ones are not', async () => {
    net.domain('middle.test', { mx: ['10 better', '20 me', '20 equal', '30 worse'] })
    net.server('me.middle.test', { dns: { A: [OWN] } })
    const fate = await sendTo(net, 'middle.test')
    assertDeferred(fate, '4.4.6', /better\.middle\.test\[/)
    assert.doesNotMatch(fate.recipient.message ?? '', /me\.middle|equal\.middle|worse\.middle/)
  })

  test('on loopback is a decoy, behind which the others are tried', async () => {
    net.domain('decoy.test', { mx: ['5 decoy', '10 mx1'] })
    net.server('decoy.decoy.test', { dns: { A: ['127.0.0.1'] } })
    assertDeferred(await sendTo(net, 'decoy.test'), '4.4.6', /decoy\.decoy\.test\[127.*mx1\.decoy\.test\[/)
  })
})

describe('local_mx_ok', () => {
  const net = sharedInternet({ haraka: { smtp: { main: { public_ip: OWN } } } })

  test('as core has it now counts, also for a message that is older', async () => {
    net.domain('older.test', { mx: ['10 mx1', '20 me'] })
    net.server('mx1.older.test', { greeting: '421 not now' })
    net.server('me.older.test', { dns: { A: ['127.255.255.254'] } })
    const first = await sendTo(net, 'older.test')
    assert.equal(first.fate, 'deferred')
    const outbound = (ok: boolean) => ({ main: { local_mx_ok: ok, temp_fail_intervals: '1h*20' } })
    assert.ok(await net.haraka.reconfigure('outbound.ini', outbound(false)))
    net.server('mx1.older.test', {})
    const { recipients } = await net.haraka.retry(first.outcome)
    const [recipient] = Object.values(recipients)
    assert.match(recipient?.message ?? '', /mx1\.older\.test\[.* is an address of this machine/)
    await net.haraka.reconfigure('outbound.ini', outbound(true))
    assert.equal((await sendTo(net, 'older.test')).fate, 'delivered')
  })
})
