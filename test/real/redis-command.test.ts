/**
 * The command on an instance whose store is Redis: it sees and does what it does with files.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { createRedisOutcomes } from '../../dist/lib/outcomes/index.js'
import { createRedisLedger } from '../../dist/lib/reports/index.js'
import { createInstance, DAY, NOW } from '../cli/ground.ts'
import { kept, report, REPORT_INI, reportJson, sessions, type Reporting } from '../cli/reports.ts'
import { value } from '../lib/reports/ledger-ground.ts'
import { startRedis, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

describe('outbound-tls report on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.stop())

  async function createReporting(t: TestContext): Promise<Reporting> {
    await redis.send('FLUSHALL')
    const { folder } = createInstance(t, {
      'outbound-tls.ini': `[store]\nengine = redis\nhost = 127.0.0.1\nport = ${redis.port}\n`,
      'outbound-tls.report.ini': REPORT_INI,
    })
    const open = () => ({ redis: redis.open(), retention: 30 * DAY })
    return { folder, ledger: createRedisLedger(open()), outcomes: createRedisOutcomes(open()) }
  }

  test('lists, shows, suppresses, and asks for reports', async (t) => {
    const reporting = await createReporting(t)
    await sessions(reporting.outcomes, 'a.test')
    await kept(reporting.ledger, 'a.test')
    assert.match((await report(reporting, ['list'])).out, /^scheduled {3}2026-05-31 +a\.test$/m)
    const { frozen, entry } = await reportJson(reporting, ['show', 'a.test'])
    assert.deepEqual([frozen, (entry as { state: string }).state], [false, 'scheduled'])
    assert.equal((await report(reporting, ['suppress', 'b.test'])).code, 0)
    assert.deepEqual(await value(reporting.ledger.suppressions()), [{ pattern: 'b.test', since: NOW }])
    assert.equal((await report(reporting, ['send', 'a.test', '--no-wait'])).code, 0)
    assert.deepEqual(await value(reporting.ledger.takeSendRequests()), [{ domain: 'a.test', at: NOW }])
  })

  test('a server that is away is said to be, and ends with 3', async (t) => {
    const { folder } = createInstance(t, {
      'outbound-tls.ini': '[store]\nengine = redis\nhost = 127.0.0.1\nport = 1\n',
    })
    const { code, out, err } = await report({ folder }, ['list'])
    assert.deepEqual([code, out], [3, ''])
    assert.match(err, /^the reports: Redis 127\.0\.0\.1:1 \(reports\): /)
  })
})
