import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWorld, DOMAIN } from './world.ts'

/** Until when claims hold: milliseconds since 1970. */
function claimsIn(path: string): number[] {
  const database = new DatabaseSync(path)
  try {
    const rows = database.prepare('SELECT claimed_until AS until FROM sts_claim').all()
    return rows.map(({ until }) => Number(until))
  } finally {
    database.close()
  }
}

describe('a claim', () => {
  test('is renewed while a long fetch goes on, so that one of a killed process holds the others for seconds only', async (t) => {
    const world = createWorld(t)
    world.fetchTakes = 4000
    const laterThan = async (time: number): Promise<number> => {
      for (;;) {
        const [until = 0] = claimsIn(world.path)
        if (until > time) return until
        await sleep(20)
      }
    }
    await world.cache().release(DOMAIN, 'nobody') // makes the file
    const began = Date.now()
    const fetching = world.worker({ now: Date.now, timeout: 60_000 }).policyFor(DOMAIN)
    const first = await laterThan(0)
    assert.ok(first >= began + 5000 && first <= Date.now() + 5000)
    const renewed = await laterThan(first)
    assert.ok(renewed <= Date.now() + 5000)
    await fetching
    assert.deepEqual(claimsIn(world.path), [])
  })

  test('that has been released is not renewed into being again', async (t) => {
    const world = createWorld(t)
    const cache = world.cache()
    await cache.claim(DOMAIN, 'one', 5000)
    const claimed = claimsIn(world.path)
    await cache.renewClaim(DOMAIN, 'another', 9000)
    assert.deepEqual(claimsIn(world.path), claimed)
    await cache.release(DOMAIN, 'one')
    await cache.renewClaim(DOMAIN, 'one', 9000)
    assert.deepEqual(claimsIn(world.path), [])
  })
})
