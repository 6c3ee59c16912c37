/**
 * A real Haraka whose store is a real Redis, which is not always there.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisOutcomes } from '../../dist/lib/outcomes/index.js'
import { assertDeliveredOverTls, timed } from '../e2e/far-end.ts'
import { repository } from '../e2e/package.ts'
import { createTime, HOUR, nextReport, reporting } from '../e2e/reporting.ts'
import { fetchesOf, mailTo } from '../e2e/sts-evidence.ts'
import { privateInternet, type PrivateInternet } from '../internet/index.ts'
import { startRedisFor, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

const DAY = 86_400_000
/** What a delivery may take where the server does not answer: its own time, and one time limit. */
const AT_ONCE = 10_000

async function internetOn(t: TestContext, redis: RedisServer): Promise<PrivateInternet> {
  return privateInternet(t, {
    settings: { store: { engine: 'redis' } },
    haraka: { config: { 'redis.ini': { server: { host: '127.0.0.1', port: redis.port } } } },
  })
}

async function assertDelivers(net: PrivateInternet, domain: string): Promise<void> {
  net.domain(domain, { sts: { id: '1' } })
  const { result, took } = await timed(() => mailTo(net, domain))
  await assertDeliveredOverTls(net, result, `mx1.${domain}`)
  assert.ok(took < AT_ONCE, `${took} ms`)
}

/** Waits until so many sessions of a domain are counted: those that there were while Redis was away, too. */
async function assertCounted(redis: RedisServer, domain: string, sessions: number): Promise<void> {
  const outcomes = createRedisOutcomes({ redis: redis.open(), retention: 30 * DAY })
  const period = { start: Math.floor(Date.now() / DAY - 1) * DAY, end: Math.floor(Date.now() / DAY + 2) * DAY }
  const count = async (): Promise<number> => {
    const facts = await outcomes.policiesOf(domain, period)
    return facts.ok ? facts.value.reduce((sum, { successes }) => sum + successes, 0) : NaN
  }
  for (let tries = 0; (await count()) !== sessions; tries++) {
    assert.ok(tries < 300, `${await count()} sessions of ${domain}`)
    await sleep(50)
  }
}

/** Waits until as many processes are connected, so that nothing is loaded any more while they deliver. */
async function isUsedBy(redis: RedisServer, processes: number): Promise<void> {
  const clients = async (): Promise<number> =>
    String(await redis.send('CLIENT', 'LIST'))
      .trim()
      .split('\n').length - 1
  for (let tries = 0; (await clients()) < processes; tries++) {
    assert.ok(tries < 300, 'not connected')
    await sleep(50)
  }
}

describe('Haraka on Redis', { skip: skipWithout('redis-server') }, () => {
  test('that is down at its start: mail goes out at once, and what was learnt is kept when Redis is there', async (t) => {
    const redis = await startRedisFor(t)
    await redis.kill()
    const net = await internetOn(t, redis)
    await assertDelivers(net, 'early.test')
    assert.match(
      net.haraka.log.find(/CRIT/).join('\n'),
      /Redis 127\.0\.0\.1:\d+ \(MTA-STS policies\): connect ECONNREFUSED/,
    )

    await redis.start()
    await net.haraka.log.waitFor(/NOTICE.*\(MTA-STS policies\): connected again/, { patience: 30_000 })
    await assertDelivers(net, 'later.test')
    await assertCounted(redis, 'early.test', 1)
    await assertCounted(redis, 'later.test', 1)
    assert.equal(await redis.send('EXISTS', 'outbound-tls:sts:policy:later.test'), 1)
  })

  test('that is down at its start: reports wait for it, and go out when it is there', async (t) => {
    const redis = await startRedisFor(t)
    await redis.kill()
    const { config, ...reporter } = reporting()
    const net = await privateInternet(t, {
      settings: { store: { engine: 'redis' } },
      haraka: { ...reporter, config: { ...config, 'redis.ini': { server: { host: '127.0.0.1', port: redis.port } } } },
    })
    const time = createTime(() => net.haraka)
    await time.moveTo(time.hour)
    net.domain('rua.test')
    net.domain('told.test', { tlsrpt: 'mailto:tls@rua.test' })
    await net.haraka.send({ to: 'one@told.test' })
    await redis.start()
    await net.haraka.log.waitFor(/this worker sends TLS reports from now on/, { patience: 30_000 })
    await assertCounted(redis, 'told.test', 1)
    await time.endPeriod(time.hour + HOUR)
    await nextReport(net.server('mx1.rua.test'))
    await net.haraka.log.waitFor(/TLS report on told\.test .*: accepted by mailto:tls@rua\.test/)
  })

  test('that hangs, then dies, then is back: mail goes on, policies hold, and nobody lends a hand', async (t) => {
    const redis = await startRedisFor(t, { appendonly: 'yes' })
    const net = await internetOn(t, redis)
    await assertDelivers(net, 'before.test')
    await redis.pause()
    for (const domain of ['before.test', 'hanging.test', 'another.test']) await assertDelivers(net, domain)
    await redis.kill()
    await assertDelivers(net, 'dead.test')
    const since = net.haraka.log.lines.length
    await redis.start()
    await net.haraka.log.waitFor(/NOTICE.*\(MTA-STS policies\): connected again/, { patience: 30_000, since })
    await assertDelivers(net, 'back.test')
    await assertCounted(redis, 'before.test', 2)
    for (const domain of ['hanging.test', 'another.test', 'dead.test', 'back.test'])
      await assertCounted(redis, domain, 1)
    assert.deepEqual(net.haraka.log.find(/lost/), [])
    assert.equal(await redis.send('EXISTS', 'outbound-tls:sts:policy:before.test'), 1)
    assert.equal(await redis.send('EXISTS', 'outbound-tls:sts:policy:back.test'), 1)
  })

  test('two hosts share their policies and count together, and the command sees and drops them', async (t) => {
    const redis = await startRedisFor(t)
    const net = await internetOn(t, redis)
    const other = await net.anotherHaraka({
      config: { 'redis.ini': { server: { host: '127.0.0.1', port: redis.port } } },
    })
    t.after(() => other.stop())
    await isUsedBy(redis, 2)
    const onTheOther = { ...net, haraka: other }

    net.domain('shared.test', { sts: { id: '1' } })
    await assertDeliveredOverTls(net, await mailTo(net, 'shared.test'), 'mx1.shared.test')
    await assertDeliveredOverTls(net, await mailTo(onTheOther, 'shared.test'), 'mx1.shared.test')
    assert.equal(fetchesOf(net, 'shared.test'), 1)
    await assertCounted(redis, 'shared.test', 2)

    const command = (...words: string[]) =>
      spawnSync(process.execPath, [join(repository, 'dist/cli/index.js'), ...words, '-c', other.folder], {
        encoding: 'utf8',
      })
    const shown = command('sts', 'show', 'shared.test')
    assert.deepEqual([shown.status, shown.stderr], [0, ''])
    assert.match(shown.stdout, /mode +enforce/)
    assert.equal(command('sts', 'drop', 'shared.test').status, 0)
    assert.equal(command('sts', 'show', 'shared.test').status, 1)
    await redis.kill()
    const failed = command('sts', 'show')
    assert.equal(failed.status, 3)
    assert.match(failed.stderr, /the policy cache: Redis 127\.0\.0\.1:\d+ \(MTA-STS policies\): connect ECONNREFUSED/)
  })
})
