import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StsCache } from '../../dist/lib/mta-sts/index.js'
import { sharedInternet } from '../internet/index.ts'
import { openCache } from '../lib/mta-sts/world.ts'
import {
  assertDeferred,
  assertDeliveredInClear,
  assertDeliveredOverTls,
  assertLogged,
  assertNotConnected,
} from './far-end.ts'
import { discoveriesOf, fetchesOf, mailTo } from './sts-evidence.ts'

describe('the policy cache', () => {
  const net = sharedInternet()
  const file = (): string => join(net.haraka.folder, 'outbound-tls.db')
  const damaged = (): string[] => readdirSync(net.haraka.folder).filter((name) => name.includes('.damaged-'))

  /** What the command does: with the file, beside the workers. */
  async function withCache<Result>(work: (cache: StsCache) => Promise<Result>): Promise<Result> {
    const cache = openCache(file(), undefined, { create: false })
    try {
      return await work(cache)
    } finally {
      cache.close()
    }
  }

  /** The domain's policy is cached; its only host has no STARTTLS any more, so that mail tells whether the policy holds. */
  async function cachePolicyOf(domain: string): Promise<void> {
    net.domain(domain, { sts: { id: '1' } })
    await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
    net.server(`mx1.${domain}`, { offersTls: false })
  }

  async function assertHolds(domain: string): Promise<void> {
    assertDeferred(await mailTo(net, domain), '4.7.4', /not offered; MTA-STS: the enforce policy/)
  }

  test('T18: outlives a restart: what was cached holds though policy host and record are gone', async () => {
    await cachePolicyOf('restarted.test')
    net.sts('restarted.test', { id: '2', address: net.policyHosts.deserted })
    await net.haraka.restart('SIGKILL')
    await assertHolds('restarted.test')
    net.dns.declare('_mta-sts.restarted.test', { TXT: [] })
    await net.haraka.restart()
    await assertHolds('restarted.test')
    assert.equal(fetchesOf(net, 'restarted.test'), 2)
  })

  test('follows the command within seconds: a policy is fetched again, though its id is the same', async () => {
    net.domain('asked.test', { sts: { id: '1', mx: ['other.test'] } })
    assertDeferred(await mailTo(net, 'asked.test'), '4.7.5', /does not list/)
    net.sts('asked.test', { id: '1' })
    await withCache((cache) => cache.requestRefetch('asked.test'))
    await net.haraka.log.waitFor(/MTA-STS policy of asked\.test was to be fetched: fetched/)
    await assertDeliveredOverTls(net, await mailTo(net, 'asked.test'), 'mx1.asked.test')
    assert.equal(fetchesOf(net, 'asked.test'), 2)
  })

  test('follows the command within seconds: a policy that is dropped does not hold any more', async () => {
    await cachePolicyOf('dropped.test')
    net.dns.declare('_mta-sts.dropped.test', { TXT: [] })
    await assertHolds('dropped.test')
    assert.deepEqual(await withCache((cache) => cache.dropPolicy('dropped.test')), { ok: true, value: true })
    await sleep(1100)
    await assertDeliveredInClear(net, await mailTo(net, 'dropped.test'), 'mx1.dropped.test')
  })

  /** What becomes of the file: at a start, or under a running Haraka. */
  const damages: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    [
      'garbage',
      'is no database at a start',
      () => {
        for (const suffix of ['-wal', '-shm']) rmSync(`${file()}${suffix}`, { force: true })
        writeFileSync(file(), 'garbage '.repeat(4096))
        return net.haraka.restart('SIGKILL')
      },
    ],
    [
      'scribbled',
      'is damaged in its middle at a start',
      async () => {
        await net.haraka.restart() // the log is brought home when the file is opened again
        await withCache((cache) => cache.listPolicies())
        const bytes = readFileSync(file())
        for (const suffix of ['-wal', '-shm']) rmSync(`${file()}${suffix}`, { force: true })
        writeFileSync(file(), bytes.fill(0xff, 4096))
        await net.haraka.restart('SIGKILL')
      },
    ],
    [
      'replaced',
      'is replaced by garbage while Haraka runs',
      () => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(`${file()}${suffix}`, { force: true })
        writeFileSync(file(), 'garbage '.repeat(4096))
        return sleep(1100)
      },
    ],
  ]
  for (const [name, what, damage] of damages) {
    test(`that ${what} is set aside loudly, and what can be learnt live applies`, async () => {
      const before = damaged().length
      await cachePolicyOf(`${name}.test`)
      await damage()
      await assertHolds(`${name}.test`)
      assert.equal(fetchesOf(net, `${name}.test`), 2)
      await assertLogged(net, '[CRIT]', 'outbound-tls.db is damaged: it has been put aside as')
      assert.equal(damaged().filter((one) => !/-(wal|shm)$/.test(one)).length, before + 1)
      const policies = await withCache((cache) => cache.listPolicies(`${name}.test`))
      assert.equal(policies.ok && policies.value.length, 1)
    })
  }

  test('that is gone is begun anew', async () => {
    await cachePolicyOf('removed.test')
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file()}${suffix}`, { force: true })
    await sleep(1100)
    await assertHolds('removed.test')
    assert.equal(fetchesOf(net, 'removed.test'), 2)
  })

  describe('that cannot be opened', () => {
    const broken = async (path: string): Promise<void> => {
      await net.haraka.reconfigure('outbound-tls.ini', net.settings({ store: { path } }))
    }
    const directory = (): string => join(net.haraka.folder, 'directory.db')

    for (const [name, path] of [
      ['directory', 'directory.db'],
      ['nowhere', 'no/such/folder.db'],
    ] as const) {
      test(`(${name}) leaves what can be learnt live, and says so at CRIT`, async () => {
        mkdirSync(directory(), { recursive: true })
        await broken(path)
        net.domain(`${name}.live.test`, { sts: { mx: ['other.test'] } })
        assertDeferred(await mailTo(net, `${name}.live.test`), '4.7.5', /does not list/)
        net.domain(`${name}.without.test`)
        await assertDeliveredOverTls(net, await mailTo(net, `${name}.without.test`), `mx1.${name}.without.test`)
        await assertLogged(net, '[CRIT]', path)
      })
    }

    for (const [name, publish] of [
      ['servfail', (domain) => net.dns.declare(`_mta-sts.${domain}`, { trouble: 'servfail' })],
      ['bogus', (domain) => net.dns.declare(`_mta-sts.${domain}`, { security: 'bogus' })],
      ['several', (domain) => net.sts(domain, { records: ['v=STSv1; id=1', 'v=STSv1; id=2'] })],
      ['unfetched', (domain) => net.sts(domain, { status: 500 })],
    ] as readonly (readonly [string, (domain: string) => void])[]) {
      test(`defers where nothing can be learnt live either: ${name}`, async () => {
        const domain = `${name}.deferred.test`
        net.domain(domain)
        publish(domain)
        assertDeferred(await mailTo(net, domain), '4.7.5', /it cannot be known whether .* has a policy: /)
        assertNotConnected(net, `mx1.${domain}`)
      })
    }

    test('goes on when it can be opened again', async () => {
      await broken('directory.db')
      net.domain('again.test', { sts: {} })
      await mailTo(net, 'again.test')
      rmdirSync(directory())
      await sleep(1100)
      await assertDeliveredOverTls(net, await mailTo(net, 'again.test'), 'mx1.again.test')
      await broken('outbound-tls.db')
      assert.ok(discoveriesOf(net, 'again.test') > 0)
    })
  })
})
