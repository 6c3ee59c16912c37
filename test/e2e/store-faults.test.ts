/**
 * A real Haraka whose store fails while mail goes out: all of it is delivered at once, the log says what is wrong, and what was counted in
 * the meantime is in the store when it is well again, without a hand.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedInternet } from '../internet/index.ts'
import { assertDeliveredOverTls } from './far-end.ts'
import { openOutcomes } from '../support/modules.ts'
import { mailTo } from './sts-evidence.ts'

const DAY = 86_400_000

/** Sessions of a domain that are in a store. */
async function countedIn(path: string, domain: string): Promise<number> {
  const store = openOutcomes({ path, log: () => undefined, create: false })
  const period = { start: Math.floor(Date.now() / DAY - 1) * DAY, end: Math.floor(Date.now() / DAY + 1) * DAY }
  const facts = await store.policiesOf(domain, period)
  store.end()
  return facts.ok ? facts.value.reduce((sum, { successes }) => sum + successes, 0) : NaN
}

describe('a Haraka whose store fails goes on delivering', () => {
  const net = sharedInternet()

  const path = (): string => join(net.haraka.folder, 'outbound-tls.db')

  async function deliver(...domains: readonly string[]): Promise<void> {
    for (const domain of domains) {
      net.domain(domain, {})
      await assertDeliveredOverTls(net, await mailTo(net, domain), `mx1.${domain}`)
    }
  }

  const counted = (domain: string): Promise<number> => countedIn(path(), domain)

  /** Waits for it: outcomes are written within 200 ms, after a failure within a second. */
  async function assertCounted(domain: string, sessions: number): Promise<void> {
    for (let tries = 0; (await counted(domain)) !== sessions; tries++) {
      assert.ok(tries < 400, `${await counted(domain)} sessions of ${domain}`)
      await sleep(50)
    }
  }

  function limitFiles(bytes: number | 'unlimited'): void {
    const { status, stderr } = spawnSync('prlimit', [`--pid=${net.haraka.pid}`, `--fsize=${bytes}:unlimited`], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  }

  test('when no file may grow: the batch is kept, and written when it can be', async () => {
    await deliver('roomy.test')
    await assertCounted('roomy.test', 1)
    const since = net.haraka.log.lines.length
    limitFiles(statSync(`${path()}-wal`).size) // room enough for what is queued
    await deliver('full1.test', 'full2.test')
    await net.haraka.log.waitFor(/CRIT.*outbound-tls\.db: (database or disk is full|disk I\/O error)/, { since })
    assert.equal(await counted('full1.test'), 0)
    limitFiles('unlimited')
    for (const domain of ['roomy.test', 'full1.test', 'full2.test']) await assertCounted(domain, 1)
    assert.deepEqual(net.haraka.log.find(/ are lost/), [])
  })

  test('when another process locks the file, for longer than anybody waits', async () => {
    const other = new DatabaseSync(path())
    other.exec('BEGIN IMMEDIATE')
    await deliver('locked1.test', 'locked2.test')
    await sleep(500)
    assert.equal(await counted('locked1.test'), 0)
    other.exec('COMMIT')
    other.close()
    for (const domain of ['locked1.test', 'locked2.test']) await assertCounted(domain, 1)
    assert.deepEqual(net.haraka.log.find(/ are lost/), [])
  })

  test('when the file is damaged while it is in use: it is put aside, loudly, and a new one begun', async () => {
    await deliver('before.test')
    await assertCounted('before.test', 1)
    const since = net.haraka.log.lines.length
    const other = new DatabaseSync(path())
    other.exec('CREATE TABLE of_somebody_else (a); DROP TABLE of_somebody_else') // nobody has its pages in memory any more
    for (const end of ['', '-wal']) writeFileSync(path() + end, readFileSync(path() + end).fill(0xee), { flag: 'r+' })
    await deliver('after.test')
    await net.haraka.log.waitFor(/CRIT.*outbound-tls\.db is damaged: it has been put aside as .*damaged-/, { since })
    await assertCounted('after.test', 1)
    assert.ok(readdirSync(net.haraka.folder).some((name) => name.startsWith('outbound-tls.db.damaged-')))
    try {
      other.close()
    } catch {
      // it has seen the damage, too
    }
  })

  test('when the settings name a place where no file can be: once they are right, what was counted meanwhile is there', async () => {
    const since = net.haraka.log.lines.length
    const wrong = net.settings({ store: { path: '/dev/null/outbound-tls.db' } })
    assert.ok(await net.haraka.reconfigure('outbound-tls.ini', wrong))
    await deliver('nowhere1.test', 'nowhere2.test')
    await net.haraka.log.waitFor(/CRIT.*\/dev\/null\/outbound-tls\.db: ENOTDIR: not a directory/, { since })
    assert.ok(await net.haraka.reconfigure('outbound-tls.ini', net.settings()))
    for (const domain of ['nowhere1.test', 'nowhere2.test']) await assertCounted(domain, 1)
    assert.deepEqual(net.haraka.log.find(/ are lost/), [])
  })

  test('when the file is moved away: the log says so, and a new one is begun', async () => {
    await deliver('there.test')
    await assertCounted('there.test', 1)
    const since = net.haraka.log.lines.length
    for (const end of ['', '-wal', '-shm']) renameSync(path() + end, join(net.haraka.folder, `elsewhere.db${end}`))
    await deliver('begun.test')
    await net.haraka.log.waitFor(/WARN.*outbound-tls\.db is another file than before/, { since })
    await assertCounted('begun.test', 1)
    assert.equal(await countedIn(join(net.haraka.folder, 'elsewhere.db'), 'there.test'), 1)
  })

  test('when it was damaged before a start, as by a machine that went down', async () => {
    await net.haraka.restart('SIGKILL')
    for (const end of ['', '-wal']) writeFileSync(path() + end, 'this is no database '.repeat(1000))
    await deliver('anew.test')
    await net.haraka.log.waitFor(/CRIT.*outbound-tls\.db is damaged: it has been put aside/)
    await assertCounted('anew.test', 1)
  })
})

describe('a Haraka that is killed while mail goes out', () => {
  const net = sharedInternet({ haraka: { outbound: { main: { concurrency_max: 20 } } } })

  test('has counted what was written by then, five times, and nothing twice', async () => {
    const domain = 'killed.test'
    net.domain(domain, {})
    const counted = (): Promise<number> => countedIn(join(net.haraka.folder, 'outbound-tls.db'), domain)
    /** The handshakes that the server has seen: no session is counted without one. */
    const handshakes = (): number =>
      net.server(`mx1.${domain}`).connections.filter(({ tls }) => tls !== undefined).length

    for (let kill = 0; kill < 5; kill++) {
      await Promise.all(Array.from({ length: 4 }, () => mailTo(net, domain)))
      await sleep(600) // three batch intervals: these are written
      const written = await counted()
      assert.ok(written >= 4 * (kill + 1), `${written} are there of ${4 * (kill + 1)} and more`)
      const later = Array.from({ length: 10 }, () => net.haraka.submit({ to: `one@${domain}` }))
      await Promise.all(later)
      await sleep(Math.random() * 100) // the moment is nobody's choice
      await net.haraka.restart('SIGKILL')
      assert.ok((await counted()) >= written)
      assert.ok((await counted()) <= handshakes(), `${await counted()} counted, ${handshakes()} handshakes`)
    }
  })
})
