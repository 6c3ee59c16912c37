import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { privateInternet, sharedInternet } from '../internet/index.ts'
import { dialogue } from './dialogue.ts'
import { fateIn, sendTo } from './telling.ts'

const graceful = {
  settings: { dns: { timeout: '20s' } },
  haraka: {
    smtp: { main: { graceful_shutdown: true } },
    outbound: { main: { temp_fail_intervals: 'none' } }, // the first attempt is the last
  },
}

describe('a graceful shutdown', () => {
  for (const slow of ['MX', 'A', 'STS'])
    test(`lets a delivery end that waits for ${slow}, also at its last attempt`, async (t) => {
      const net = await privateInternet(t, graceful)
      net.domain('slow.test', { sts: slow === 'STS' ? { delay: 1500 } : { records: [] } })
      const waited = { MX: 'slow.test', A: 'mx1.slow.test', STS: '_mta-sts.slow.test' }[slow] ?? ''
      if (slow !== 'STS') net.dns.declare(waited, { delay: 1500 })
      const submitted = await net.haraka.submit({ to: 'one@slow.test' })
      while (net.dns.asked(waited) === 0) await sleep(5)
      process.kill(net.haraka.pid, 'SIGINT')
      const { fate, recipient } = fateIn(await net.haraka.settled(submitted))
      assert.equal(fate, 'delivered', recipient.message)
    })

  test('of one worker by another lets its deliveries end', async (t) => {
    const net = await privateInternet(t, { ...graceful, haraka: { ...graceful.haraka, nodes: 1 } })
    net.domain('slow.test', { dns: { delay: 1500 } })
    await net.haraka.submit({ to: 'one@slow.test' })
    while (net.dns.asked('slow.test') === 0) await sleep(5)
    await dialogue(net.haraka.port, ['INTERNALCMD gracefulRestart', 'QUIT'])
    await net.haraka.log.waitFor(/Killing worker/)
    assert.ok((await net.server('mx1.slow.test').nextMessage()).tls)
  })
})

describe('what a reload replaces', () => {
  const net = sharedInternet()

  test('is released when the last delivery with it ends', async () => {
    net.domain('sts.test', { sts: {} })
    const reload = async (hours: number): Promise<void> => {
      const changed = net.settings({ 'mta-sts': { refresh: `${hours}h` }, dns: { 'cache-size': 1000 + hours } })
      await net.haraka.reconfigure('outbound-tls.ini', changed)
      assert.equal((await sendTo(net, 'sts.test')).fate, 'delivered')
    }
    const held = () => ['fd', 'task'].map((what) => readdirSync(`/proc/${net.haraka.pid}/${what}`).length)
    for (let hours = 1; hours <= 3; hours++) await reload(hours)
    await sleep(500)
    const before = held()
    for (let hours = 4; hours <= 15; hours++) await reload(hours)
    const isBack = () => held().every((count, index) => count <= (before[index] ?? 0) + 4)
    for (let patience = 100; patience > 0 && !isBack(); patience--) await sleep(50)
    assert.ok(isBack(), `descriptors and threads: ${before.join()} before, ${held().join()} after 12 reloads`)
  })

  test('serves deliveries under way until they end', async () => {
    net.domain('meanwhile.test', { dns: { delay: 600 } })
    const submitted = await net.haraka.submit({ to: 'one@meanwhile.test' })
    while (net.dns.asked('meanwhile.test') === 0) await sleep(5)
    await net.haraka.reconfigure('outbound-tls.ini', net.settings({ dns: { 'cache-size': 77 } }))
    assert.equal(fateIn(await net.haraka.settled(submitted)).fate, 'delivered')
  })
})
