import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredInClear, assertDeliveredOverTls, timed } from './far-end.ts'
import { assertRecorded, discoveriesOf, fetchesOf, mailTo } from './sts-evidence.ts'

const WORKERS = 2
const TIMEOUT = 3000

describe('several workers', () => {
  const net = sharedInternet({
    haraka: { nodes: WORKERS, outbound: { main: { always_split: true } }, patience: 60_000 },
    settings: { main: { 'mta-sts-timeout': `${TIMEOUT}ms` } },
  })

  test('1,000 deliveries to one new domain cause some lookups for each worker, and one fetch', async () => {
    net.domain('crowd.test', { sts: { mx: ['other.test'], delay: 500 } })
    for (const name of ['crowd.test', '_mta-sts.crowd.test', 'mx1.crowd.test']) net.dns.declare(name, { ttl: 300 })
    const messages = await Promise.all(
      [1, 2, 3, 4].map((message) => {
        const to = Array.from({ length: 250 }, (_, index) => `r${index}.m${message}@crowd.test`)
        return net.haraka.submit({ to })
      }),
    )
    for (const message of messages) assertDeferred(await net.haraka.settled(message), '4.7.5', /does not list/)
    // one before they are refused, and one for those that are refused at the same time
    assert.ok(discoveriesOf(net, 'crowd.test') <= 10 * WORKERS, `${discoveriesOf(net, 'crowd.test')} lookups`)
    assert.equal(net.policyHosts.requests.filter(({ host }) => host === 'mta-sts.crowd.test').length, 1)
    assert.equal(net.server('mx1.crowd.test').connections.length, 0)
  })

  test('none of them waits for a hanging policy host longer than mta-sts-timeout; the failure is recorded once', async () => {
    net.domain('hanging.test', { sts: { instead: 'silence' } })
    net.server('mx1.hanging.test', { offersTls: false })
    const all = await Promise.all(Array.from({ length: 6 }, () => timed(() => mailTo(net, 'hanging.test'))))
    for (const { result, took } of all) {
      assert.equal(result.delivered.length, 1)
      assert.ok(took < TIMEOUT + 3000, `${took} ms`)
    }
    const session = 'mx1: clear-text; no-policy-found starttls-not-supported (starttls-not-offered)'
    const sessions = Array.from({ length: 6 }, () => session)
    await assertRecorded(net, 'hanging.test', 'no host: policy-fetch; sts sts-policy-fetch-error', ...sessions)
    await assertDeliveredInClear(net, await mailTo(net, 'hanging.test'), 'mx1.hanging.test')
    assert.equal(fetchesOf(net, 'hanging.test'), 1)
  })

  test('know at once what one of them has fetched', async () => {
    net.domain('shared.test', { sts: { id: '1' } })
    for (let messages = 0; messages < 4; messages++)
      await assertDeliveredOverTls(net, await mailTo(net, 'shared.test'), 'mx1.shared.test')
    assert.equal(fetchesOf(net, 'shared.test'), 1)
  })
})
