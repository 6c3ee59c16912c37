import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWorld, DOMAIN } from './world.ts'

/** Until when claims hold: milliseconds since 1970. */
function claimsIn(path: string): number[] {
  const database = new DatabaseSync(path)
  try {
    const rows = database.prepare('SELECT until FROM claim').all()
    return rows.map(({ until }) => Number(until))
  } finally {
    database.close()
  }
}

describe('a claim', () => {
  test('is renewed while a long fetch goes on, so that one of a killed process holds the others for seconds only', async (t) => {
    const world = createWorld(t)
    world.fetchTakes = 2500
    const began = Date.now()
    const fetching = world.worker({ now: Date.now, timeout: 60_000 }).policyFor(DOMAIN)
    await sleep(100)
    const [first = 0] = claimsIn(world.path)
    assert.ok(first >= began + 5000 && first <= Date.now() + 5000)
    await sleep(2000)
    const [renewed = 0] = claimsIn(world.path)
    assert.ok(renewed > first && renewed <= Date.now() + 5000)
    await fetching
    assert.deepEqual(claimsIn(world.path), [])
  })

  test('that has been released is not renewed into being again', async (t) => {
    const world = createWorld(t)
    const cache = world.cache()
    await cache.claim(DOMAIN, 'one', world.now, world.now + 5000)
    await cache.renewClaim(DOMAIN, 'another', world.now, world.now + 9000)
    assert.deepEqual(claimsIn(world.path), [world.now + 5000])
    await cache.release(DOMAIN, 'one')
    await cache.renewClaim(DOMAIN, 'one', world.now, world.now + 9000)
    assert.deepEqual(claimsIn(world.path), [])
  })
})
