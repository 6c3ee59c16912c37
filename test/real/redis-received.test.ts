/**
 * Received reports on a real Redis: what every store of them must do, and that nothing is left behind.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createRedisReceived, type ReceivedStore } from '../../dist/lib/received/index.js'
import { receivedContract } from '../lib/received/contract.ts'
import { DAY, kept, unsigned, value } from '../lib/received/ground.ts'
import { startRedis, type RedisServer } from './redis.ts'
import { skipWithout } from './tools.ts'

describe('on Redis', { skip: skipWithout('redis-server') }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  beforeEach(() => redis.send('FLUSHALL'))
  after(() => redis.stop())
  const open = (): ReceivedStore => createRedisReceived(redis.open())

  receivedContract('Redis', open)

  test('whatever is not removed expires by itself', async () => {
    const store = open()
    const receivedAt = Date.now()
    await value(store.add(kept('1', { receivedAt }), DAY))
    await value(store.add(kept('2', { receivedAt, ...unsigned }), DAY))
    const keys = (await redis.send('KEYS', '*')) as string[]
    assert.equal(keys.length, 5)
    for (const key of keys) {
      assert.match(key, /^outbound-tls:received:/)
      const left = Number(await redis.send('PTTL', key))
      assert.ok(left > 0 && left <= DAY, `${key}: ${left}`)
    }
  })

  test('what expired is not listed any more', async () => {
    const store = open()
    await value(store.add(kept('1', { receivedAt: Date.now() }), DAY))
    await redis.send('DEL', `outbound-tls:received:report:${kept('1').entry.id}`)
    assert.deepEqual(await value(store.entries({ since: 0, isCounted: true, limit: 10 })), [])
  })
})
