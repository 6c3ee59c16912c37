import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredOverTls } from './far-end.ts'
import { assertRecorded, fetchesOf, mailTo } from './sts-evidence.ts'

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10)

// side by side: one is busy, the other one waits
describe('nobody looks on:', { concurrency: true }, () => {
  describe('a process that is killed', () => {
    const net = sharedInternet()

    test('loses no cached policy and corrupts nothing, whatever it is at', async () => {
      const file = join(net.haraka.folder, 'outbound-tls.db')
      const domains: string[] = []
      let cached = new Map<string, string>()
      for (let round = 1; round <= ROUNDS; round++) {
        for (const domain of domains) net.sts(domain, { id: `r${round}` }) // all of them are fetched again
        for (const name of ['a', 'b']) {
          net.domain(`${name}${round}.test`, { sts: { id: `r${round}` } })
          domains.push(`${name}${round}.test`)
        }
        await net.ready()
        const asked = net.policyHosts.requests.length
        const submissions = Promise.allSettled(domains.map((domain) => net.haraka.submit({ to: `one@${domain}` })))
        // in the midst of it: some have been fetched, some are about to be
        const enough = asked + 1 + ((round * 7) % domains.length)
        for (let patience = 300; patience > 0 && net.policyHosts.requests.length < enough; patience--) await sleep(10)
        await sleep(Math.random() * 30)
        await net.haraka.restart('SIGKILL')
        await submissions

        const before = cached
        cached = policiesIn(file)
        for (const domain of before.keys()) assert.ok(cached.has(domain), `${domain} is lost after round ${round}`)
        const served = domains.filter((domain) => net.server(`mx1.${domain}`).messages.length > 0)
        for (const domain of served) assert.ok(cached.has(domain), `${domain} got mail, its policy is not cached`)
      }
      assert.ok(cached.size >= ROUNDS, `only ${cached.size} policies were ever cached: the test kills too early`)
      assert.deepEqual(net.haraka.log.find(/is damaged/), [])
      const damaged = readdirSync(net.haraka.folder).filter((name) => name.includes('damaged'))
      assert.deepEqual(damaged, [])

      const some = [...cached.keys()].slice(0, 5)
      for (const domain of some) {
        net.sts(domain, { id: 'down', address: net.policyHosts.deserted })
        net.server(`mx1.${domain}`, { offersTls: false })
        assertDeferred(await mailTo(net, domain), '4.7.4', /MTA-STS: the enforce policy/)
      }
    })
  })

  describe('policies of domains that mail went to', () => {
    const net = sharedInternet({ haraka: { nodes: 2 }, settings: { 'mta-sts': { refresh: '2s' } } })

    before(async () => {
      for (const domain of ['refreshed.test', 'stale.test']) {
        net.domain(domain, { sts: { id: '1' } })
        await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
      }
      net.sts('refreshed.test', { records: [], mx: ['other.test'] })
      net.sts('stale.test', { id: '1', status: 500 })
      // workers begin their rounds at a time of their own within a minute
      const isRefreshed = (domain: string): boolean => fetchesOf(net, domain) > 1
      for (let patience = 1300; patience > 0 && !['refreshed.test', 'stale.test'].every(isRefreshed); patience--)
        await sleep(100)
      await sleep(1100)
    })

    test('T19: are refreshed in the background, whatever becomes of the record, and mail finds the new one', async () => {
      assertDeferred(await mailTo(net, 'refreshed.test'), '4.7.5', /does not list/)
    })

    test('T19, T28: stay in force when that fails, and the failure is recorded', async () => {
      await net.haraka.log.waitFor(/MTA-STS policy of stale\.test could not be refreshed once, it expires/)
      const failure = 'no host: policy-fetch; sts sts-policy-fetch-error'
      await assertRecorded(net, 'stale.test', 'mx1: verified; sts success', failure)
      net.server('mx1.stale.test', { offersTls: false })
      assertDeferred(await mailTo(net, 'stale.test'), '4.7.4', /not offered; MTA-STS: the enforce policy/)
    })
  })
})

/** The id of each policy in a file that is sound, if it has any tables yet. */
function policiesIn(file: string): Map<string, string> {
  if (!existsSync(file)) return new Map()
  const database = new DatabaseSync(file, { timeout: 1000 })
  try {
    assert.deepEqual(Object.values(database.prepare('PRAGMA integrity_check').get() ?? {}), ['ok'])
    if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sts_policy'").get()) return new Map()
    const rows = database.prepare('SELECT domain, id FROM sts_policy').all()
    return new Map(rows.map(({ domain, id }) => [String(domain), String(id)]))
  } finally {
    database.close()
  }
}
