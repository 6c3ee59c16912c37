import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { assertNothingInClear, privateInternet, sharedInternet } from '../internet/index.ts'
import { assertDeferred, fateIn, logged, sendTo } from './telling.ts'

const file = 'outbound-tls.ini'
const settings = { 'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' } }

describe('with several workers', () => {
  const net = sharedInternet({ settings, haraka: { nodes: 2 } })

  /** The workers' process ids: children of the Haraka that this test started. */
  const workers = (): number[] => {
    const { pid } = net.haraka
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  }

  test('each of them guards', async () => {
    net.domain('plain.required.test')
    const server = net.server('mx1.plain.required.test', { offersTls: false })
    for (let messages = 0; messages < 4; messages++) assertDeferred(await sendTo(net, 'plain.required.test'), '4.7.4')
    assert.equal(server.connections.length, 4)
    assertNothingInClear(server)
    net.domain('fine.required.test')
    for (let messages = 0; messages < 4; messages++) {
      assert.equal((await sendTo(net, 'fine.required.test')).fate, 'delivered')
    }
    assertNothingInClear(net.server('mx1.fine.required.test'))
  })

  test('each of them tests the resolver, the master does not', () => {
    assert.equal(net.dns.asked('signed.test') % 2, 0)
    assert.ok(net.dns.asked('signed.test') > 0)
  })

  test('each of them follows a reload', async () => {
    net.domain('reloaded.test')
    const server = net.server('mx1.reloaded.test', { offersTls: false })
    await net.haraka.reconfigure(file, net.settings({ main: { starttls: 'require' } }))
    for (let messages = 0; messages < 4; messages++) assertDeferred(await sendTo(net, 'reloaded.test'), '4.7.4')
    assertNothingInClear(server)
    await net.haraka.reconfigure(file, net.settings())
    assert.equal((await sendTo(net, 'reloaded.test')).fate, 'delivered')
  })

  test('those that are started again on a broken file guard all the same: they defer', async () => {
    net.domain('broken.test')
    await net.haraka.reconfigure(file, net.settings({ main: { starttls: 'perhaps' } }))
    assert.equal((await sendTo(net, 'broken.test')).fate, 'delivered', 'the last good settings stay in force')

    // one after the other: without any of them the port would be another one
    for (const pid of workers()) {
      const since = net.haraka.log.lines.length
      process.kill(pid, 'SIGKILL')
      await net.haraka.log.waitFor(/worker \d+ listening/, { since })
    }
    net.server('mx1.broken.test', {})
    for (let messages = 0; messages < 4; messages++) {
      assertDeferred(await sendTo(net, 'broken.test'), '4.7.5', /cannot be read.*starttls = "perhaps"/)
    }
    assert.equal(net.server('mx1.broken.test').connections.length, 0)
    assert.ok((await logged(net, '[CRIT]', 'no mail is delivered until the configuration is mended')).length > 0)

    await net.haraka.reconfigure(file, net.settings())
    assert.equal((await sendTo(net, 'broken.test')).fate, 'delivered')
    assertNothingInClear(net.server('mx1.broken.test'))
  })
})

describe('after a crash between two attempts', () => {
  for (const nodes of [0, 2]) {
    test(`a message is still under guard, with ${nodes} workers`, async (t) => {
      const net = await privateInternet(t, { settings, haraka: { nodes } })
      net.domain('crash.required.test')
      const server = net.server('mx1.crash.required.test', { offersTls: false })
      const first = await sendTo(net, 'crash.required.test')
      assertDeferred(first, '4.7.4')
      await net.haraka.restart('SIGKILL')
      await net.haraka.flush()
      const message = { uuid: first.outcome.uuid, to: ['one@crash.required.test'] }
      assertDeferred(fateIn(await net.haraka.settled(message)), '4.7.4')
      assert.ok(server.connections.length > 1)
      assertNothingInClear(server)
    })
  }
})
