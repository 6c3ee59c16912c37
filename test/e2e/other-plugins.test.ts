import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import type { TroubleEntry } from './plugins/trouble/index.ts'
import { assertDeferred, loggedNow, sendTo } from './telling.ts'

const settings = { 'rule:required': { 'if-rcpt-domain': ['*.required.test'], starttls: 'require' } }

/** What other plugins do in the hooks that core asks before a delivery. Whatever it is, the guard plans the delivery. */
const troubles: readonly (readonly [string, TroubleEntry])[] = [
  ['get_mx throws', { hook: 'get_mx', does: 'throw' }],
  ['get_mx hangs', { hook: 'get_mx', does: 'hang' }],
  ['get_mx denies', { hook: 'get_mx', does: { answers: 'deny', value: 'no' } }],
  ['get_mx denies for now', { hook: 'get_mx', does: { answers: 'denysoft', value: 'not now' } }],
  ['get_mx answers OK with nothing', { hook: 'get_mx', does: { answers: 'ok' } }],
  ['send_email throws', { hook: 'send_email', does: 'throw' }],
  ['send_email hangs', { hook: 'send_email', does: 'hang' }],
  ['send_email denies', { hook: 'send_email', does: { answers: 'deny', value: 'no' } }],
  ['send_email answers OK', { hook: 'send_email', does: { answers: 'ok' } }],
]

for (const order of [
  ['trouble', 'outbound-tls', 'lenient'],
  ['outbound-tls', 'trouble', 'lenient'],
]) {
  describe(`with other plugins, in this order: ${order.join(', ')}`, { concurrency: true }, () => {
    const net = sharedInternet({
      settings,
      haraka: { plugins: order, config: { plugin_timeout: '1\n' }, patience: 30_000 },
    })
    const entries: TroubleEntry[] = []
    const makeTrouble = (entry: TroubleEntry): void => {
      entries.push(entry)
      net.haraka.setTrouble(...entries)
    }

    for (const [index, [what, entry]] of troubles.entries()) {
      test(`${what}: mail keeps to its policy, and a denial that is overridden opens no way around it`, async () => {
        const refused = `refused${index}.required.test`
        const fine = `fine${index}.required.test`
        for (const domain of [refused, fine]) {
          net.domain(domain)
          makeTrouble({ ...entry, domain })
        }
        const server = net.server(`mx1.${refused}`, { offersTls: false })
        const [first, second] = await Promise.all([sendTo(net, refused), sendTo(net, fine)])
        assertDeferred(first, '4.7.4', /STARTTLS is required/)
        assert.equal(second.fate, 'delivered', second.recipient.message)
        assertNothingInClear(server)
        assertNothingInClear(net.server(`mx1.${fine}`))
      })
    }

    test('get_mx answers OK with an empty list: there is no host, the message waits', async () => {
      net.domain('empty.required.test')
      makeTrouble({ hook: 'get_mx', domain: 'empty.required.test', does: { answers: 'ok', value: [] } })
      const fate = await sendTo(net, 'empty.required.test')
      assert.equal(fate.fate, 'deferred')
      assert.equal(net.server('mx1.empty.required.test').connections.length, 0)
    })

    test('no exception of theirs is one of ours', () => {
      assert.deepEqual(loggedNow(net, '[CRIT]', /cannot plan|session with/), [])
    })
  })
}

describe('a plugin that changes the envelope behind the guard', () => {
  const net = sharedInternet({
    settings: { ...settings, main: { requiretls: true } },
    haraka: { plugins: ['outbound-tls', 'trouble'], tls: true },
  })

  test('by a recipient domain that is none: the message bounces, as in plain Haraka, which goes on', async () => {
    net.haraka.setTrouble(
      ...[null, 42, {}, ''].map((value, index): TroubleEntry => {
        const hook = index % 2 === 0 ? 'send_email' : 'get_mx'
        return { hook, domain: `gone${index}.test`, does: { envelope: { domain: value } } }
      }),
    )
    for (const index of [0, 1, 2, 3]) {
      const { fate, recipient } = await sendTo(net, `gone${index}.test`)
      assert.equal(fate, 'bounced', recipient.message)
      assert.equal(recipient.status, '5.1.2')
    }
    net.domain('afterwards.test')
    assert.equal((await sendTo(net, 'afterwards.test')).fate, 'delivered')
  })

  test('Q2: by notes without REQUIRETLS: it is required all the same', async () => {
    net.haraka.setTrouble({ hook: 'get_mx', domain: 'stripped.test', does: { envelope: { notes: {} } } })
    net.domain('stripped.test', { signed: true })
    const submission = { from: 'sender@origin.test', tls: true, parameters: ['REQUIRETLS'] }
    const { fate, recipient } = await sendTo(net, 'stripped.test', submission)
    assert.equal(fate, 'bounced', recipient.message)
    assert.equal(recipient.status, '5.7.30')
    assert.deepEqual(net.server('mx1.stripped.test').messages, [])
  })
})

describe('a plugin that answers send_email before the guard is asked', () => {
  const net = sharedInternet({ settings, haraka: { plugins: ['forestalling', 'outbound-tls'] } })

  test('does not keep it from being installed', async () => {
    net.domain('forestalled.required.test')
    const server = net.server('mx1.forestalled.required.test', { offersTls: false })
    assertDeferred(await sendTo(net, 'forestalled.required.test'), '4.7.4', /STARTTLS is required/)
    assertNothingInClear(server)
  })
})
