/**
 * Reporters on a real Redis: all that is shown of them in SQLite holds there too, where they are on several hosts.
 */
import { after } from 'node:test'
import { createRedisOutcomes } from '../../dist/lib/outcomes/index.js'
import { createRedisLedger } from '../../dist/lib/reports/index.js'
import { DAY, playOn } from '../lib/reports/world.ts'
import { startRedis } from './redis.ts'
import { skipWithout } from './tools.ts'

if (skipWithout('redis-server') === false) {
  const redis = await startRedis({ databases: '10000' })
  after(() => redis.stop())
  let worlds = 0
  playOn(() => {
    const database = worlds++
    return {
      openStore: () => createRedisOutcomes({ redis: redis.open({ database }), retention: 30 * DAY }),
      openLedger: () => createRedisLedger({ redis: redis.open({ database }), retention: 30 * DAY }),
    }
  })
  // their tests are ours from here on
  await import('../lib/reports/periods.test.ts')
  await import('../lib/reports/workers.test.ts')
  await import('../lib/reports/later.test.ts')
}
